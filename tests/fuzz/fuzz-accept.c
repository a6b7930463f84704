/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The Accept header. */

#include <errno.h>
#include <stdio.h>

#include "api/http/accept.h"
#include "basic/string-util.h"
#include "fuzz.h"

static void check(bool b, const char *what) {
        if (!b) {
                fprintf(stderr, "not true: %s\n", what);
                abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const types[] = { "text/plain", "text/event-stream", "application/json", NULL };
        static const char *const others[] = { "application/json", "text/event-stream", "text/plain", NULL };
        _cleanup_free_ char *header = strndup((const char *) data, size);

        if (!header)
                return 0;
        int one = accept_choose(header, types), two = accept_choose(header, others);
        check(one >= -ENOENT && one < 3 && (one >= 0 || one == -ENOENT), "one of them, or none");
        check((one < 0) == (two < 0), "whether there is one does not depend on the order");
        return 0;
}
