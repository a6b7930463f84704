/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Images that are changed in place. The manager looks when a job is submitted, the job when it starts. */

#include "spec/disk-format.h"

/* True if QEMU can change the middle of images of this format. */
bool image_format_is_writable(int format) _pure_;

/* Reads the first bytes of an image file. @format: as it was given, or FORMAT_PROBE. 0; -EROFS with
 * *ret_error (caller frees): such a file cannot be changed in place; -ENOMEM or what reading gave. */
int image_check_writable(int fd, int format, char **ret_error);
