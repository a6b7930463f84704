/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Headers of requests for files: ranges, tags, dates, digests. */

#include <stdlib.h>

#include "api/http/content-digest.h"
#include "api/http/range.h"
#include "basic/string-util.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size), *disposition = NULL;
        static const uint64_t sizes[] = { 0, 1, 1000, (uint64_t) 1 << 44 };
        uint8_t digest[SHA256_SIZE];
        char date[HTTP_DATE_SIZE];
        usec_t t;

        if (!text)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                uint64_t offset, length;
                RangeKind kind = range_decode(text, sizes[i], &offset, &length);

                if (offset > sizes[i] || length > sizes[i] - offset || (kind == RANGE_PART && length == 0) ||
                                (kind != RANGE_PART && length != sizes[i]))
                        abort();
        }
        (void) etag_list_contains(text, "\"1-2-3.4\"", true);
        (void) content_digest_decode(text, digest);
        (void) sha256_from_hex(text, digest);
        if (parse_http_date(text, &t) >= 0 && !streq(format_http_date(date, t), text))
                abort();
        disposition = attachment_header(text);
        if (!disposition || strpbrk(disposition, "\r\n"))
                abort();
        return 0;
}
