/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the journal already has: past events. */

#include "journal/journal-read.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "journal/journal-follow.h"
#include "journal/journal-open.h"
#include "spec/job-spec.h"

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

struct JournalReading {
        sd_journal *journal;
        char *job_id;
        usec_t since;
};

int journal_reading_new(const char *directory, const char *job_id, usec_t since, JournalReading **ret) {
        _cleanup_(journal_reading_freep) JournalReading *g = new0(JournalReading, 1);
        int r;

        if (!g || !(g->job_id = strdup(job_id)))
                return -ENOMEM;
        g->since = since;
        r = journal_open(directory, &g->journal);
        if (r >= 0)
                r = seek(g->journal, job_id, NULL, since);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(g);
        return 0;
}

int journal_reading_step(JournalReading *g, size_t limit, JobEvent ***ret, size_t *ret_n) {
        return read_events(g->journal, g->job_id, NULL, g->since, limit, ret, ret_n);
}

JournalReading *journal_reading_free(JournalReading *g) {
        if (!g)
                return NULL;
        sd_journal_close(g->journal);
        free(g->job_id);
        return mfree(g);
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

int journal_read_page(const char *directory, const char *job_id, const char *cursor, bool progress,
                size_t limit, JobEvent ***ret, size_t *ret_n) {
        _cleanup_journal_ sd_journal *j = NULL;
        int r;

        r = journal_open(directory, &j);
        if (r >= 0 && cursor)
                r = check_cursor(j, cursor);
        if (r >= 0)
                r = job_event_add_matches(j, job_id);
        if (r >= 0 && !progress)
                r = add_kinds(j);
        if (r >= 0)
                r = cursor ? sd_journal_seek_cursor(j, cursor) : sd_journal_seek_head(j);
        return r < 0 ? r : read_events(j, job_id, cursor, 0, limit, ret, ret_n);
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
