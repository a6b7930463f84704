/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the parent of an image may be. */

#include <stdbool.h>

/* The paths at which the parent @name of the image at @path may be, the best first, absolute and without "."
 * and "..": as it is written, and, if @beside, under its last component beside the image (a name of another
 * machine leads nowhere here, but the parent's identity tells whether it is the right file). Names with a
 * protocol (nbd://, json:) give none. 0 or -ENOMEM; the caller frees *ret. */
int image_parent_paths(const char *path, const char *name, bool beside, char ***ret);
