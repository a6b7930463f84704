/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* Which of @types ("text/plain", …, NULL-terminated) a client prefers that has sent the Accept header
 * @header (RFC 9110, 12.5.1), or NULL: its index. Of those with the same weight, the first one; the weight of
 * a type is that of the most specific range that matches it. Ranges that are malformed are ignored. -ENOENT
 * if it accepts none. */
int accept_choose(const char *header, const char *const *types);
