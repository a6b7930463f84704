/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text files as Windows programs write them: with a byte order mark, in UTF-8 or UTF-16. */

#include "basic/macro.h"

/* A copy of @data in UTF-8, ending with NUL, without the byte order mark; text without a mark is copied as
 * it is. -EILSEQ: UTF-16 with half a character in it. The caller frees *ret. */
int text_to_utf8(const char *data, size_t size, char **ret, size_t *ret_size);
