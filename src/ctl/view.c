/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/text.h"
#include "ctl/view.h"

#define LABEL_WIDTH 12

int view_heading(Ctl *ctl, Colour colour, const char *name) {
        _cleanup_free_ char *escaped = text_escape(name, ctl->out.utf8);

        if (!escaped)
                return -ENOMEM;
        printf("%s%s%s %s\n", colour_on(&ctl->out, colour), ctl->out.utf8 ? "●" : "*",
                        colour_off(&ctl->out, colour), escaped);
        return 0;
}

int view_line(Ctl *ctl, const char *label, Colour colour, const char *format, ...) {
        _cleanup_free_ char *text = NULL, *escaped = NULL;
        va_list ap;

        va_start(ap, format);
        text = vstrprintf(format, ap);
        va_end(ap);
        escaped = text ? text_escape(text, ctl->out.utf8) : NULL;
        if (!escaped)
                return -ENOMEM;
        if (*escaped)
                printf("%*s%s %s%s%s\n", LABEL_WIDTH, label, *label ? ":" : " ",
                                colour_on(&ctl->out, colour), escaped, colour_off(&ctl->out, colour));
        return 0;
}

const char *view_span(char buf[static TIMESPAN_SIZE], usec_t span) {
        return format_timespan(buf, span / USEC_PER_SEC * USEC_PER_SEC);
}

const char *view_age(char buf[static TIMESPAN_SIZE], usec_t since) {
        usec_t now = now_realtime();

        return since == 0 || since > now ? "-" : view_span(buf, now - since);
}

const char *view_string(json_t *object, const char *key) {
        return strempty(json_string_value(json_object_get(object, key)));
}

uint64_t view_number(json_t *object, const char *key) {
        return (uint64_t) json_integer_value(json_object_get(object, key));
}

usec_t view_time(json_t *object, const char *key) {
        usec_t t;

        return parse_rfc3339(view_string(object, key), &t) < 0 ? 0 : t;
}

int view_table(Ctl *ctl, const Table *t) {
        int r = t ? table_print(t, stdout, &ctl->out, !ctl->args.no_legend) : -ENOMEM;

        if (r == -ENOMEM)
                return log_oom(), EXIT_OTHER;
        if (r < 0) {
                log_error_errno(r, "Failed to write to standard output: %m");
                return EXIT_OTHER;
        }
        return EXIT_OK;
}

const char *view_when(char buf[static VIEW_WHEN_SIZE], usec_t t) {
        time_t seconds = (time_t) (t / USEC_PER_SEC);
        char date[40], span[TIMESPAN_SIZE];
        usec_t now = now_realtime();
        struct tm tm;

        if (t == 0 || !localtime_r(&seconds, &tm) ||
                        strftime(date, sizeof(date), "%a %Y-%m-%d %H:%M:%S %Z", &tm) == 0)
                return "";
        if (now >= t + USEC_PER_SEC)
                snprintf(buf, VIEW_WHEN_SIZE, "%s; %s ago", date, view_span(span, now - t));
        else if (t >= now + USEC_PER_SEC)
                snprintf(buf, VIEW_WHEN_SIZE, "%s; in %s", date, view_span(span, t - now));
        else
                snprintf(buf, VIEW_WHEN_SIZE, "%s", date);
        return buf;
}

int view_endpoint(Ctl *ctl, const char *label, json_t *endpoint) {
        const char *where = json_string_value(json_object_get(endpoint, "path"));
        const char *format = json_string_value(json_object_get(endpoint, "format"));

        if (!where)
                where = json_string_value(json_object_get(endpoint, "uri"));
        if (!where)
                where = json_string_value(json_object_get(endpoint, "vm_path"));
        return where ? view_line(ctl, label, COLOUR_NONE, "%s%s%s%s", where, format ? " (" : "",
                                       strempty(format), format ? ")" : "")
                     : 0;
}
