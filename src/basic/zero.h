/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Zeroes in data. */

#include "basic/macro.h"

/* True if all of it is zero. Cheap when it begins with something else, and else as fast as memcmp(), which
 * compares each byte with the one before it. */
static inline bool memory_is_zero(const void *p, size_t size) {
        const unsigned char *b = p;

        return size == 0 || (b[0] == 0 && memcmp(b, b + 1, size - 1) == 0);
}
