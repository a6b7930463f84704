/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/string-util.h"
#include "basic/time-util.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);
        char buf[RFC3339_SIZE];
        usec_t t, again;

        if (!text || parse_rfc3339(text, &t) < 0)
                return 0;
        /* Year 10000 in UTC, from 9999 with an offset, has no form in RFC 3339. */
        if (t >= UINT64_C(253402300800) * USEC_PER_SEC)
                return 0;
        if (parse_rfc3339(format_rfc3339(buf, t), &again) < 0 || again != t)
                abort();
        return 0;
}
