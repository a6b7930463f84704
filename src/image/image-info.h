/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What "qemu-img info" says of an image. */

#include "image/image.h"

/* "qemu-img info --output=json", decoded. */
typedef struct ImageInfo {
        char *format;
        uint64_t virtual_size, actual_size;
        bool encrypted, dirty, corrupt;
        bool has_backing, has_data_file;
        size_t n_snapshots;
        ImageExtent *extents;
        size_t n_extents;
} ImageInfo;

void image_info_done(ImageInfo *i);
#define _cleanup_image_info_ _cleanup_(image_info_done)

/* Pure. -EBADMSG if it is not what qemu-img prints. */
int image_info_from_json(const char *text, size_t size, ImageInfo *ret);

/* Compares with what the header said. -EBADMSG with a text: refused. */
int image_info_check(const Image *i, const ImageInfo *info, char **ret_error);
