/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "basic/string-util.h"
#include "ctl/text.h"
#include "ctl/view.h"

#define LABEL_WIDTH 12

int view_line(Ctl *ctl, const char *label, Colour colour, const char *format, ...) {
        _cleanup_free_ char *text = NULL, *escaped = NULL;
        va_list ap;

        va_start(ap, format);
        if (vasprintf(&text, format, ap) < 0)
                text = NULL;
        va_end(ap);
        escaped = text ? text_escape(text, ctl->out.utf8) : NULL;
        if (!escaped)
                return -ENOMEM;
        if (*escaped)
                printf("%*s%s %s%s%s\n", LABEL_WIDTH, label, *label ? ":" : " ",
                                colour_on(&ctl->out, colour), escaped, colour_off(&ctl->out, colour));
        return 0;
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
                snprintf(buf, VIEW_WHEN_SIZE, "%s; %s ago", date,
                                format_timespan(span, (now - t) / USEC_PER_SEC * USEC_PER_SEC));
        else if (t >= now + USEC_PER_SEC)
                snprintf(buf, VIEW_WHEN_SIZE, "%s; in %s", date,
                                format_timespan(span, (t - now) / USEC_PER_SEC * USEC_PER_SEC));
        else
                snprintf(buf, VIEW_WHEN_SIZE, "%s", date);
        return buf;
}

int view_endpoint(Ctl *ctl, const char *label, json_t *endpoint) {
        const char *where = json_string_value(json_object_get(endpoint, "path"));
        const char *format = json_string_value(json_object_get(endpoint, "format"));

        if (!where)
                where = json_string_value(json_object_get(endpoint, "uri"));
        return where ? view_line(ctl, label, COLOUR_NONE, "%s%s%s%s", where, format ? " (" : "",
                                       strempty(format), format ? ")" : "")
                     : 0;
}
