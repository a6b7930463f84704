/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Bytes that grow. Running out of memory is noted, and reported by the last call, buffer_finish(). */

#include "basic/macro.h"

typedef struct Buffer {
        char *data;
        size_t size, allocated;
        bool failed;
} Buffer;

void buffer_done(Buffer *b);
#define _cleanup_buffer_ _cleanup_(buffer_done)

void buffer_add(Buffer *b, const void *data, size_t size);
void buffer_add_text(Buffer *b, const char *text);
/* @n zero bytes. */
void buffer_add_zeroes(Buffer *b, size_t n);

/* Hands over what is in it, with a NUL behind it that does not count. 0 or -ENOMEM. */
int buffer_finish(Buffer *b, char **ret, size_t *ret_size);
