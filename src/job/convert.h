/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Copying disks into its part directory or to a server. All functions note failures in the
 * attempt and return negative errno. */

#include "job/conversion.h"

/* Finds out early that the destination's file system cannot hold the disks. */
int convert_check_space(Conversion *c);
/* What it says: the @source takes so many bytes, of which so many are @written, and @available are free.
 * @sure: it cannot fit; otherwise it may not. NULL when out of memory. */
char *convert_space_text(const char *path, uint64_t source, uint64_t written, uint64_t available, bool sure);

/* Copies all disks, two at a time, each going on where an earlier attempt ended. */
int convert_disks(Conversion *c);
