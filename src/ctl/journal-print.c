/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#include "basic/log.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "ctl/client.h"
#include "ctl/journal-print.h"
#include "ctl/text.h"
#include "journal/job-event.h"

/* --- one entry
 * ------------------------------------------------------------------------------------------------ */

/* The value of a field, NULL if the entry has none; the caller frees it. A NUL byte in it ends it. */
static char *get_field(sd_journal *j, const char *field) {
        const void *data;
        size_t size, skip = strlen(field) + 1;

        if (sd_journal_get_data(j, field, &data, &size) < 0 || size < skip)
                return NULL;
        return strndup((const char *) data + skip, size - skip);
}

static Colour colour_of_priority(const char *priority) {
        unsigned p;

        if (!priority || parse_unsigned(priority, &p) < 0)
                return COLOUR_NONE;
        return p <= LOG_ERR                ? COLOUR_RED
                        : p == LOG_WARNING ? COLOUR_YELLOW
                        : p == LOG_NOTICE  ? COLOUR_BOLD
                                           : COLOUR_NONE;
}

/* "Nov 21 10:00:00 hyper-job[123]: message", lines behind the first indented. */
static int print_text(Ctl *ctl, sd_journal *j, usec_t when) {
        _cleanup_free_ char *message = get_field(j, "MESSAGE"), *priority = get_field(j, "PRIORITY"),
                            *name = get_field(j, "SYSLOG_IDENTIFIER"), *pid = get_field(j, "_PID"),
                            *shown = NULL;
        Colour colour = colour_of_priority(priority);
        time_t seconds = (time_t) (when / USEC_PER_SEC);
        char date[32] = "";
        struct tm tm;
        char *rest = message;
        int indent = 0;

        if (!message)
                return 0;
        shown = text_escape(strempty(name), ctl->out.utf8);
        if (!shown)
                return -ENOMEM;
        if (localtime_r(&seconds, &tm))
                (void) strftime(date, sizeof(date), "%b %d %H:%M:%S", &tm);
        indent = printf("%s %s[%s]: ", date, shown, strempty(pid));
        for (const char *part; (part = strsep(&rest, "\n"));) {
                _cleanup_free_ char *escaped = text_escape(part, ctl->out.utf8);

                if (!escaped)
                        return -ENOMEM;
                if (part != message)
                        printf("%*s", indent, "");
                printf("%s%s%s\n", colour_on(&ctl->out, colour), escaped, colour_off(&ctl->out, colour));
        }
        return ferror(stdout) ? -EIO : 0;
}

static int set_if_given(json_t *object, const char *key, json_t *value, bool given) {
        if (!given) {
                json_decref(value);
                return 0;
        }
        return json_object_set_new(object, key, value) < 0 ? -ENOMEM : 0;
}

static json_t *text_to_json(const char *s) {
        _cleanup_free_ char *escaped = NULL;

        if (!s)
                return json_null();
        if (utf8_is_valid(s))
                return json_string(s);
        escaped = text_escape(s, true);
        return escaped ? json_string(escaped) : NULL;
}

static int print_json(Ctl *ctl, sd_journal *j, usec_t when, const JobEvent *event) {
        _cleanup_free_ char *message = get_field(j, "MESSAGE"), *priority = get_field(j, "PRIORITY"),
                            *name = get_field(j, "SYSLOG_IDENTIFIER"), *cursor = NULL;
        _cleanup_(json_decrefp) json_t *object = NULL;
        char time[RFC3339_SIZE];
        unsigned p = LOG_INFO;
        int r = 0;

        if (sd_journal_get_cursor(j, &cursor) < 0)
                return -ENOMEM;
        if (priority && parse_unsigned(priority, &p) < 0)
                p = LOG_INFO;
        object = json_pack("{s:s, s:i, s:o, s:o, s:s}", "time", format_rfc3339(time, when), "priority",
                        (int) p, "identifier", text_to_json(name), "message", text_to_json(message),
                        "cursor", cursor);
        if (!object)
                return -ENOMEM;
        if (event) {
                r = set_if_given(object, "event", json_string(event_kind_to_string(event->kind)), true);
                if (r >= 0)
                        r = set_if_given(object, "state",
                                        json_string(strempty(job_state_to_string(event->state))),
                                        event->state >= 0);
                if (r >= 0)
                        r = set_if_given(object, "phase",
                                        json_string(strempty(job_phase_to_string(event->phase))),
                                        event->phase >= 0);
                if (r >= 0)
                        r = set_if_given(object, "percent", json_real(event->percent), event->percent >= 0);
                if (r >= 0)
                        r = set_if_given(object, "bytes_done", json_integer((json_int_t) event->bytes_done),
                                        event->bytes_total > 0);
                if (r >= 0)
                        r = set_if_given(object, "bytes_total",
                                        json_integer((json_int_t) event->bytes_total),
                                        event->bytes_total > 0);
                if (r >= 0 && event->details)
                        r = set_if_given(object, "details", json_incref(event->details), true);
        }
        return r < 0 ? r : client_print_json(ctl, object) == EXIT_OK ? 0 : -EIO;
}

/* 1 if this entry says that the job has ended. */
static int print_entry(Ctl *ctl, sd_journal *j) {
        _cleanup_(job_event_freep) JobEvent *event = NULL;
        usec_t when;
        int r;

        r = job_event_read(j, &event);
        if (r == -ENOMEM)
                return r;
        r = sd_journal_get_realtime_usec(j, &when);
        if (r >= 0)
                r = ctl->args.json != JSON_MODE_OFF ? print_json(ctl, j, when, event)
                                                    : print_text(ctl, j, when);
        if (r < 0)
                return r;
        return event && event->kind == EVENT_STATE && event->state >= 0 &&
                        job_state_is_terminal(event->state);
}

/* --- where to begin, and when to end
 * -------------------------------------------------------------------------- */

static int seek(Ctl *ctl, sd_journal *j) {
        int r;

        if (ctl->args.lines > INT64_MAX)
                return sd_journal_seek_head(j);
        /* Not seek_tail(): with no entry there yet, nothing that comes later would ever be found. */
        if (ctl->args.lines == 0)
                return sd_journal_seek_realtime_usec(j, now_realtime());
        r = sd_journal_seek_tail(j);
        if (r >= 0)
                r = sd_journal_previous_skip(j, ctl->args.lines);
        if (r < 0)
                return r;
        /* It stands on the first entry to be shown, and next() would pass it over. */
        return r == 0 ? sd_journal_seek_head(j) : sd_journal_previous(j) == 0 ? sd_journal_seek_head(j) : 0;
}

static int print_entries(Ctl *ctl, sd_journal *j, bool follow, size_t *lines) {
        int r, ended = 0;

        for (;;) {
                while ((r = sd_journal_next(j)) > 0) {
                        r = print_entry(ctl, j);
                        if (r < 0)
                                return r;
                        ended |= r;
                        (*lines)++;
                }
                if (r < 0 || !follow || ended)
                        return r;
                if (fflush(stdout) != 0)
                        return -errno;
                r = sd_journal_wait(j, UINT64_MAX);
                if (r < 0)
                        return r;
        }
}

int journal_print_directory(
                Ctl *ctl, const char *directory, const char *id, bool follow, size_t *ret_lines) {
        _cleanup_(sd_journal_closep) sd_journal *j = NULL;
        size_t lines = 0;
        int r;

        r = directory ? sd_journal_open_directory(&j, directory, 0)
                      : sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (r >= 0)
                r = job_event_add_matches(j, id);
        if (r >= 0)
                r = seek(ctl, j);
        if (r >= 0)
                r = print_entries(ctl, j, follow, &lines);
        if (r < 0) {
                log_error_errno(r, "Failed to read the journal: %m");
                return EXIT_OTHER;
        }
        if (ret_lines)
                *ret_lines = lines;
        return EXIT_OK;
}
