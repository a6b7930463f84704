/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* For check-cron: reads expressions, one per line, each with a time in seconds before it, and prints one
 * line of JSON for each: the OnCalendar= lines, the next N times, and those of them for which a timer gets an
 * additional line; or the error. */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "basic/string-util.h"
#include "spec/cron-calendar.h"
#include "spec/cron.h"

static json_t *next_times(const Cron *c, usec_t t, unsigned n, json_t *extra) {
        json_t *list = json_array();

        for (unsigned i = 0; i < n; i++) {
                usec_t before = t;

                if (cron_next(c, before, &t) < 0)
                        break;
                json_array_append_new(list, json_integer((json_int_t) (t / USEC_PER_SEC)));
                if (cron_crosses_clock_change(c, before, t))
                        json_array_append_new(extra, json_integer((json_int_t) (t / USEC_PER_SEC)));
        }
        return list;
}

static json_t *describe(const char *expression, usec_t after, unsigned n) {
        _cleanup_(cron_done) Cron c = {};
        _cleanup_free_ char *error = NULL;
        _cleanup_strv_free_ char **lines = NULL;
        json_t *calendar, *extra, *next;

        if (cron_parse(expression, &c, &error) < 0)
                return json_pack("{s:s}", "error", strna(error));
        if (cron_to_calendar(&c, &lines) < 0)
                return NULL;
        calendar = json_array();
        STRV_FOREACH(line, lines)
                json_array_append_new(calendar, json_string(*line));
        extra = json_array();
        next = next_times(&c, after, n, extra);
        return json_pack("{s:o, s:o, s:o}", "calendar", calendar, "next", next, "extra", extra);
}

int main(int argc, char *argv[]) {
        char line[2048];
        unsigned n = argc > 1 ? (unsigned) atoi(argv[1]) : 1;

        while (fgets(line, sizeof(line), stdin)) {
                char *end;
                usec_t after = strtoull(line, &end, 10) * USEC_PER_SEC;

                line[strcspn(line, "\n")] = '\0';
                json_t *answer = describe(*end == ' ' ? end + 1 : end, after, n);
                if (!answer || json_dumpf(answer, stdout, JSON_COMPACT) < 0 || putchar('\n') < 0)
                        return 1;
                json_decref(answer);
        }
        return 0;
}
