/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What "qemu-img info" says about a hostile image. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "image/image-info.h"
#include "image/image.h"
#include "image/refusal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Image image = { .path = (char *) "/srv/a", .whole = true, .format = FORMAT_VMDK };
        _cleanup_image_info_ ImageInfo info = {};
        _cleanup_free_ char *why = NULL;

        if (image_info_from_json((const char *) data, size, &info) < 0)
                return 0;
        if (!info.format)
                abort();
        if (image_info_check(&image, &info, &why) >= 0 &&
                        (info.has_backing || info.has_data_file || info.encrypted ||
                                        info.virtual_size > IMAGE_SIZE_MAX))
                abort();
        return 0;
}
