/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Texts of the Windows registry: UTF-16, little endian. What is read comes from a guest: any bytes. */

#include "guest/buffer.h"

/* Up to the first NUL, as valid UTF-8 of at most @max bytes. Surrogates that are not in pairs become U+FFFD.
 * NULL when out of memory; the caller frees. */
char *utf16_to_utf8(const char *data, size_t size, size_t max);

/* A list as REG_MULTI_SZ has it: texts that each end with NUL, up to an empty one. At most @max_items of at
 * most @max bytes; further ones are left out. 0 with *ret, which is NULL if there is none, or -ENOMEM. */
int utf16_list(const char *data, size_t size, size_t max_items, size_t max, char ***ret);

/* Adds @text, which is ASCII, and a NUL. */
void utf16_add(Buffer *b, const char *text);
