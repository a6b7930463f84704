/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which bytes of a file an answer with status 206 has (RFC 9110, 14.4). */

#include <stdint.h>

typedef struct ContentRange {
        uint64_t first, last; /* both inclusive */
        uint64_t size; /* of the whole file */
} ContentRange;

/* Parses the value of Content-Range, "bytes FIRST-LAST/SIZE", with blanks around it. What does not name a
 * range inside of a file of known size is -EBADMSG. */
int content_range_parse(const char *value, ContentRange *ret);
