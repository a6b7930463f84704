/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/destination-file.h"
#include "engine/nbd-connect.h"

#include <sys/stat.h>

#include "basic/string-util.h"
#include "engine/endpoint-nbd.h"
#include "job/inspect.h"

int destination_open_device(Conversion *c, Connection *ret) {
        _cleanup_(image_done) Image image = {};
        int r = part_image(c, 0, &image);

        return r < 0 ? r : connect_image(c->attempt, &image, true, NBD_DESTINATION, image.label, ret);
}

int destination_check_image(Conversion *c, size_t disk, Image *ret) {
        int r = part_image(c, disk, ret);

        if (r < 0)
                return r;
        ret->length = c->sizes[disk]; /* an upper bound for the limits */
        return image_check(c->attempt, ret, "verification_failed");
}

int destination_connect_image(Conversion *c, Image *image, ReadBack *ret_read_back, Connection *ret) {
        int r = read_back_prepare(image->path, ret_read_back);

        if (r < 0)
                return attempt_fail(c->attempt, r, "output_damaged",
                                "Flushing the finished image of %s to read it back failed: %s", image->label,
                                strerror(-r));
        image->direct = *ret_read_back == READ_BACK_DIRECT;
        return connect_image(c->attempt, image, false, NBD_SOURCE, image->label, ret);
}

int destination_describe_image(Conversion *c, size_t disk, json_t **ret) {
        _cleanup_(image_done) Image image = {};
        struct stat st;

        int r = part_image(c, disk, &image);
        if (r < 0)
                return r;
        if (lstat(image.path, &st) < 0)
                return attempt_fail(c->attempt, errno, "output_damaged",
                                "Looking at the finished image in %s failed: %s", c->part_dir,
                                strerror(errno));
        *ret = json_pack("{s:s, s:s, s:I, s:I}", "path", image.label, "format",
                        disk_format_to_string(c->format), "virtual_size", (json_int_t) c->sizes[disk],
                        "actual_size", (json_int_t) st.st_blocks * 512);
        return *ret ? 0 : -ENOMEM;
}
