/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal/journal-log.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "journal/job-event.h"
#include "journal/journal-follow.h"
#include "journal/journal-open.h"
#include "spec/job-spec.h"

#define LINES_MAX ((size_t) 10000)
#define LOG_LINE_MAX ((size_t) 8 * 1024)
#define TOTAL_MAX ((size_t) 16 * 1024 * 1024)

struct JournalLog {
        sd_journal *journal;
        size_t tail; /* so many lines are kept */
        char **lines; /* newest first */
        size_t n, allocated, bytes;
        size_t total;
};

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
        char *line = strprintf("%s %s", time, utf8_replace_control(message, ' '));
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

int journal_log_open(const char *directory, const char *job_id, size_t tail, JournalLog **ret) {
        _cleanup_(journal_log_freep) JournalLog *l = new0(JournalLog, 1);
        int r;

        if (!l || !GREEDY_REALLOC(l->lines, l->allocated, 1))
                return -ENOMEM;
        l->lines[0] = NULL;
        l->tail = tail == 0 ? LINES_MAX : MIN(tail, LINES_MAX);
        r = journal_open(directory, &l->journal);
        if (r >= 0)
                r = sd_journal_set_data_threshold(l->journal, LOG_LINE_MAX);
        if (r >= 0)
                r = add_log_matches(l->journal, job_id);
        if (r >= 0)
                r = sd_journal_seek_tail(l->journal);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

static int keep_line(JournalLog *l) {
        int r;

        if (!GREEDY_REALLOC(l->lines, l->allocated, l->n + 2))
                return -ENOMEM;
        r = read_line(l->journal, &l->lines[l->n]);
        if (r >= 0)
                l->bytes += strlen(l->lines[l->n++]);
        l->lines[l->n] = NULL;
        return r == -ENOMEM ? r : 0; /* otherwise, a damaged entry */
}

int journal_log_step(JournalLog *l, size_t entries) {
        int r;

        while (entries-- > 0) {
                r = sd_journal_previous(l->journal);
                if (r <= 0) {
                        reverse(l->lines, l->n);
                        return r;
                }
                l->total++;
                r = l->n < l->tail && l->bytes < TOTAL_MAX ? keep_line(l) : 0;
                if (r < 0)
                        return r;
        }
        return 1;
}

char *const *journal_log_lines(const JournalLog *l) {
        return l->lines;
}

size_t journal_log_total(const JournalLog *l) {
        return l->total;
}

JournalLog *journal_log_free(JournalLog *l) {
        if (!l)
                return NULL;
        sd_journal_close(l->journal);
        strv_free(l->lines);
        return mfree(l);
}
