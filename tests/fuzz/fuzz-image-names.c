/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "fuzz.h"
#include "image/image-names.h"
#include "image/image-paths.h"

/* What the paths must be like, whatever the names: plain, absolute, without ".". */
static void check_paths(const ImageNames *n) {
        const char *reason;

        STRV_FOREACH(name, n->parents)
                for (int beside = 0; beside < 2; beside++) {
                        _cleanup_strv_free_ char **paths = NULL;
                        if (!utf8_is_valid(*name) ||
                                        image_parent_paths("/srv/vm/top", *name, beside, &paths) < 0)
                                abort();
                        STRV_FOREACH(path, paths)
                                if (!job_path_is_valid(*path, false, &reason))
                                        abort();
                }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_close_ int fd = memfd_create("image", MFD_CLOEXEC);
        _cleanup_image_names_ ImageNames n = {};
        _cleanup_free_ char *error = NULL;

        if (fd < 0 || pwrite_full(fd, data, size, 0) < 0)
                return 0;
        int r = image_names_read(fd, size, FORMAT_PROBE, &n, &error);
        if (r < 0) {
                if (r == -EBADMSG && (isempty(error) || !utf8_is_valid(error)))
                        abort();
                return 0;
        }
        if (!n.has_parent && (n.parents || n.parent_id))
                abort();
        check_paths(&n);
        return 0;
}
