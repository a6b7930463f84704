/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/string-util.h"
#include "fuzz.h"
#include "spec/cron-calendar.h"
#include "spec/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size), *error = NULL;
        _cleanup_(cron_done) Cron c = {};
        _cleanup_strv_free_ char **lines = NULL;
        usec_t t;

        if (!text)
                return 0;
        if (cron_parse(text, &c, &error) < 0) {
                if (isempty(error))
                        abort();
                return 0;
        }
        if (cron_to_calendar(&c, &lines) < 0)
                return 0;
        if (strv_length(lines) > 2 || (c.every > 0) != (strv_length(lines) == 0))
                abort();
        STRV_FOREACH(line, lines)
                if (strchr(*line, '\n') || strlen(*line) > 1024)
                        abort();
        c.zone = mfree(c.zone); /* the C library's reading of zone files is not the subject */
        if (c.every == 0 && cron_next(&c, 1769853600 * USEC_PER_SEC, &t) >= 0 &&
                        t <= 1769853600 * USEC_PER_SEC)
                abort();
        return 0;
}
