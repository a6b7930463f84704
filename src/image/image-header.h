/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the headers of an image say about other files. */

#include "image/image.h"

/* Reads what the headers say about other files, before qemu does. @visible: all files that belong to the
 * source, the image first. Fills i->extents. -EBADMSG with a text: refused. */
int image_check_header(int fd, Image *i, char *const *visible, char **ret_error);
