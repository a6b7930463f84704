/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "api/http/reply-header.h"
#include "api/http/request-state.h"

int request_add_header(Request *r, const char *name, const char *value) {
        size_t n = strlen(name) + 1, m = strlen(value) + 1;
        RequestHeader *h;

        h = malloc(sizeof(*h) + n + m);
        if (!h)
                return -ENOMEM;
        memcpy(h->name, name, n);
        h->value = h->name + n;
        memcpy(h->value, value, m);
        h->next = r->headers;
        r->headers = h;
        return 0;
}
