/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* VMDK: a text descriptor with its extents, or one file with a descriptor inside. */

#include "image/image.h"

/* What image_check_header() does for a VMDK; @header: its first 512 bytes. */
int image_check_vmdk(int fd, Image *i, const char *header, char *const *visible, char **ret_error);

/* Writes the descriptor that qemu opens instead of the one that was submitted, into @directory, from what
 * image_check_vmdk() read. It is removed by image_done(). Nothing is done for other images. 0 or negative
 * errno. */
int image_write_descriptor(Image *i, const char *directory);
