/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the journal already has: past events and log lines. */

#include "journal/journal-read.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "journal/journal-follow.h"
#include "journal/journal-open.h"
#include "spec/job-spec.h"

#define LOG_LINES_MAX ((size_t) 10000)
#define LOG_LINE_MAX ((size_t) 8 * 1024)
#define LOG_TOTAL_MAX ((size_t) 16 * 1024 * 1024)

JobEvent **job_events_free(JobEvent **events, size_t n) {
        for (size_t i = 0; i < n; i++)
                job_event_free(events[i]);
        return mfree(events);
}

/* 0 if the entry is there; libsystemd itself goes to the nearest one without a word. To be called before
 * matches are added: the cursor may be that of another job's entry. */
static int check_cursor(sd_journal *j, const char *cursor) {
        int r;

        r = sd_journal_seek_cursor(j, cursor);
        if (r >= 0)
                r = sd_journal_next(j);
        if (r < 0)
                return r;
        if (r == 0)
                return -EINVAL;
        r = sd_journal_test_cursor(j, cursor);
        return r < 0 ? r : r > 0 ? 0 : -EINVAL;
}

/* Goes to the place behind which the first entry to be read is. */
static int seek(sd_journal *j, const char *job_id, const char *cursor, usec_t since) {
        int r = 0;

        if (cursor)
                r = check_cursor(j, cursor);
        if (r >= 0)
                r = job_event_add_matches(j, job_id);
        if (r < 0)
                return r;
        if (cursor)
                return sd_journal_seek_cursor(j, cursor);
        return since > 0 ? sd_journal_seek_realtime_usec(j, since) : sd_journal_seek_head(j);
}

static bool concerns(const JobEvent *e, const char *job_id, usec_t since) {
        return (!job_id || streq(e->job_id, job_id)) && e->realtime >= since;
}

typedef struct EventList {
        JobEvent **events;
        size_t n, allocated;
} EventList;

static void event_list_done(EventList *l) {
        l->events = job_events_free(l->events, l->n);
}

static int read_events(sd_journal *j, const char *job_id, const char *cursor, usec_t since, size_t limit,
                JobEvent ***ret, size_t *ret_n) {
        _cleanup_(event_list_done) EventList list = {};
        int r = 0;

        while ((limit == 0 || list.n < limit) && (r = sd_journal_next(j)) > 0) {
                _cleanup_(job_event_freep) JobEvent *e = NULL;

                if (cursor && sd_journal_test_cursor(j, cursor) > 0)
                        continue;
                r = job_event_read(j, &e);
                if (r == -ENOMEM)
                        return r;
                if (r < 0 || !concerns(e, job_id, since))
                        continue;
                if (!GREEDY_REALLOC(list.events, list.allocated, list.n + 1))
                        return -ENOMEM;
                list.events[list.n++] = TAKE_PTR(e);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(list.events);
        *ret_n = list.n;
        list.n = 0;
        return 0;
}

int journal_read_events(const char *directory, const char *job_id, const char *cursor, usec_t since,
                size_t limit, JobEvent ***ret, size_t *ret_n) {
        _cleanup_journal_ sd_journal *j = NULL;
        int r;

        r = journal_open(directory, &j);
        if (r >= 0)
                r = seek(j, job_id, cursor, since);
        return r < 0 ? r : read_events(j, job_id, cursor, since, limit, ret, ret_n);
}

/* The index of the journal has them, so that the other ones are not read. */
static int add_kinds(sd_journal *j) {
        int r = sd_journal_add_conjunction(j);

        for (EventKind k = 0; k < _EVENT_KIND_MAX && r >= 0; k++) {
                _cleanup_free_ char *match = strprintf("HYPER_EVENT=%s", event_kind_to_string(k));

                if (!match)
                        return -ENOMEM;
                if (k != EVENT_PROGRESS)
                        r = sd_journal_add_match(j, match, 0);
        }
        return r;
}

int journal_read_log_events(
                const char *directory, const char *job_id, usec_t since, JobEvent ***ret, size_t *ret_n) {
        _cleanup_journal_ sd_journal *j = NULL;
        usec_t first = since > 0 ? since + 1 : 0;
        int r;

        r = journal_open(directory, &j);
        if (r >= 0)
                r = job_event_add_matches(j, job_id);
        if (r >= 0)
                r = add_kinds(j);
        if (r >= 0)
                r = first > 0 ? sd_journal_seek_realtime_usec(j, first) : sd_journal_seek_head(j);
        return r < 0 ? r : read_events(j, job_id, NULL, first, 0, ret, ret_n);
}

int journal_read_event(const char *directory, const char *cursor, JobEvent **ret) {
        _cleanup_journal_ sd_journal *j = NULL;
        int r;

        r = journal_open(directory, &j);
        if (r < 0)
                return r;
        r = check_cursor(j, cursor);
        if (r < 0)
                return r;
        r = job_event_read(j, ret);
        return r < 0 && r != -ENOMEM ? -EINVAL : r;
}

/* The unit's own lines, the manager's about the job, and PID 1's about the unit. */
static int add_log_matches(sd_journal *j, const char *job_id) {
        _cleanup_free_ char *name = job_unit_name(job_id), *unit = NULL;
        int r;

        unit = name ? strprintf("UNIT=%s", name) : NULL;
        if (!unit)
                return -ENOMEM;
        r = job_event_add_matches(j, job_id);
        if (r >= 0)
                r = sd_journal_add_disjunction(j);
        if (r >= 0)
                r = sd_journal_add_match(j, "_PID=1", 0);
        if (r >= 0)
                r = sd_journal_add_match(j, unit, 0);
        return r;
}

static int read_line(sd_journal *j, char **ret) {
        _cleanup_free_ char *message = NULL;
        const size_t prefix = strlen("MESSAGE=");
        char time[RFC3339_SIZE];
        const void *data;
        usec_t realtime;
        size_t size;
        int r;

        r = sd_journal_get_realtime_usec(j, &realtime);
        if (r < 0)
                return r;
        r = sd_journal_get_data(j, "MESSAGE", &data, &size);
        if (r == -ENOENT) {
                data = "MESSAGE=";
                size = prefix;
        } else if (r < 0)
                return r;
        message = utf8_make_valid((const char *) data + prefix, size - prefix, LOG_LINE_MAX);
        if (!message)
                return -ENOMEM;
        format_rfc3339(time, realtime - realtime % USEC_PER_SEC);
        char *line = strprintf("%s %s", time, ascii_replace_control(message, ' '));
        if (!line)
                return -ENOMEM;
        *ret = line;
        return 0;
}

static void reverse(char **lines, size_t n) {
        for (size_t i = 0; i < n / 2; i++) {
                char *swapped = lines[i];
                lines[i] = lines[n - 1 - i];
                lines[n - 1 - i] = swapped;
        }
}

int journal_read_log(
                const char *directory, const char *job_id, size_t tail, char ***ret, size_t *ret_total) {
        _cleanup_journal_ sd_journal *j = NULL;
        _cleanup_strv_free_ char **lines = NULL;
        size_t n = 0, allocated = 0, total = 0, bytes = 0;
        int r;

        tail = tail == 0 ? LOG_LINES_MAX : MIN(tail, LOG_LINES_MAX);
        r = journal_open(directory, &j);
        if (r >= 0)
                r = sd_journal_set_data_threshold(j, LOG_LINE_MAX);
        if (r >= 0)
                r = add_log_matches(j, job_id);
        if (r >= 0)
                r = sd_journal_seek_tail(j);
        if (r < 0)
                return r;
        if (!GREEDY_REALLOC(lines, allocated, 1))
                return -ENOMEM;
        lines[0] = NULL;
        /* Newest first; the older ones are only counted. */
        while ((r = sd_journal_previous(j)) > 0) {
                total++;
                if (n >= tail || bytes >= LOG_TOTAL_MAX)
                        continue;
                if (!GREEDY_REALLOC(lines, allocated, n + 2))
                        return -ENOMEM;
                r = read_line(j, &lines[n]);
                if (r == -ENOMEM) {
                        lines[n] = NULL;
                        return r;
                }
                if (r < 0) /* a damaged entry */
                        lines[n] = NULL;
                else
                        bytes += strlen(lines[n++]);
                lines[n] = NULL;
        }
        if (r < 0)
                return r;
        reverse(lines, n);
        *ret = TAKE_PTR(lines);
        *ret_total = total;
        return 0;
}
