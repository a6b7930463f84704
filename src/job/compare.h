/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Compares two disks byte for byte, reading only what at least one of them does not know to be zero. */

#include "job/copy.h"

/* Takes progress, cancel, stall timeout and request sizes from @options; total is the longer disk's size,
 * and what one disk has behind the other's end must be zero (images are rounded up to whole sectors).
 * Returns 1 if they are equal, 0 if not, with the first byte that differs in *ret_offset, negative errno
 * with *ret_error (caller frees) if they could not be read. */
int compare_run(Endpoint *a, Endpoint *b, const CopyOptions *options, uint64_t *ret_offset,
                char **ret_error);
