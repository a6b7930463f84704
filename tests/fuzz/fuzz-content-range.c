/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>

#include "basic/string-util.h"
#include "fuzz.h"
#include "http/content-range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size), *named = NULL;
        ContentRange range, again;

        if (!text || content_range_parse(text, &range) < 0)
                return 0;
        if (range.first > range.last || range.last >= range.size)
                abort();
        named = strprintf("bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range.first, range.last, range.size);
        if (!named)
                return 0;
        if (content_range_parse(named, &again) < 0 || again.first != range.first ||
                        again.last != range.last || again.size != range.size)
                abort();
        return 0;
}
