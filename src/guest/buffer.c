/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/buffer.h"

void buffer_done(Buffer *b) {
        free(b->data);
        *b = (Buffer){};
}

static char *make_room(Buffer *b, size_t size) {
        b->failed = b->failed || !GREEDY_REALLOC(b->data, b->allocated, b->size + size + 1);
        return b->failed ? NULL : b->data + b->size;
}

void buffer_add(Buffer *b, const void *data, size_t size) {
        char *p = make_room(b, size);

        if (!p || size == 0)
                return;
        memcpy(p, data, size);
        b->size += size;
}

void buffer_add_text(Buffer *b, const char *text) {
        buffer_add(b, text, strlen(text));
}

void buffer_add_zeroes(Buffer *b, size_t n) {
        char *p = make_room(b, n);

        if (!p)
                return;
        memset(p, 0, n);
        b->size += n;
}

int buffer_finish(Buffer *b, char **ret, size_t *ret_size) {
        if (!make_room(b, 0))
                return -ENOMEM;
        b->data[b->size] = 0;
        if (ret_size)
                *ret_size = b->size;
        *ret = TAKE_PTR(b->data);
        *b = (Buffer){};
        return 0;
}
