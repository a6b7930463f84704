/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A change of state is durable first and in the journal second, and the manager can be killed, or the power
 * cut, in between; journald itself may lose its last minutes then. So changes are logged in the order in
 * which they are recorded, each with its number (HYPER_CHANGE=), and a start goes on behind the last number
 * that the journal has. Times cannot say that: many changes are of the same moment, and journald's clock
 * reads later than ours. */

#include "manager/journal-catchup.h"

#include "basic/log.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "journal/job-event.h"
#include "journal/journal-open.h"
#include "journal/journal-sync.h"
#include "manager/manager.h"
#include "store/job-changes.h"
#include "store/jobs.h"

/* So many changes are read at once. */
#define BATCH 100u
/* How long a start waits for journald. */
#define SYNC_TIMEOUT (10 * USEC_PER_SEC)

#define FIELD "HYPER_CHANGE="

static int read_number(sd_journal *journal, uint64_t *ret) {
        _cleanup_free_ char *text = NULL;
        const void *data;
        size_t size;
        int r = sd_journal_get_data(journal, "HYPER_CHANGE", &data, &size);

        if (r < 0)
                return r;
        text = strndup((const char *) data + strlen(FIELD), size - strlen(FIELD));
        return text ? parse_uint64(text, ret) : -ENOMEM;
}

/* The last change that is in the journal; -ENOENT if the journal has none. */
static int last_logged(Manager *m, uint64_t *ret) {
        _cleanup_journal_ sd_journal *journal = NULL;
        int r;

        /* What the manager before this one sent may still be on its way. */
        if (!m->journal_directory && (r = journal_sync(SYNC_TIMEOUT)) < 0)
                log_warning_errno(r, "Failed to wait for systemd-journald: %m");
        r = journal_open(m->journal_directory, &journal);
        if (r >= 0)
                r = sd_journal_add_match(journal, "_SYSTEMD_UNIT=hyper-managerd.service", 0);
        if (r >= 0)
                r = sd_journal_add_match(journal, "HYPER_EVENT=state", 0);
        if (r >= 0)
                r = sd_journal_seek_tail(journal);
        if (r < 0)
                return r;
        /* A power cut can leave an entry at the end that cannot be read. */
        while ((r = sd_journal_previous(journal)) > 0) {
                r = read_number(journal, ret);
                if (r >= 0 || r == -ENOMEM)
                        return r;
        }
        return r < 0 ? r : -ENOENT;
}

static int send_changes(Manager *m, const JobChange *changes, size_t n) {
        JobEvent events[BATCH];
        size_t sent = 0;

        for (size_t i = 0; i < n; i++) {
                events[i] = JOB_EVENT_INIT(EVENT_STATE);
                events[i].job_id = changes[i].job_id;
                events[i].state = changes[i].state;
                events[i].message = changes[i].reason;
                events[i].change = changes[i].seq;
                events[i].submitter = changes[i].submitter;
        }
        int r = m->send_events(events, n, &sent);
        if (sent > 0)
                m->logged = changes[sent - 1].seq;
        return r;
}

/* Logs the next ones. The number of those that were logged, or negative errno. */
static int log_some(Manager *m, bool finished) {
        JobChange *changes = NULL;
        size_t n = 0;
        int r = store_job_changes(m->store, m->logged, finished, BATCH, &changes, &n);

        if (r >= 0)
                r = send_changes(m, changes, n);
        job_changes_free(changes, n);
        return r < 0 ? r : (int) n;
}

static int log_all(Manager *m, bool finished) {
        int r;

        do
                r = log_some(m, finished);
        while (r == (int) BATCH);
        return r;
}

void manager_log_changes(Manager *m) {
        int r = log_all(m, true);

        if (r < 0)
                log_warning_errno(r, "Failed to log changes of state, the next one tries again: %m");
}

void journal_catch_up(Manager *m) {
        uint64_t logged = 0, last = 0;
        int r = store_job_last_change(m->store, &last);

        if (r >= 0)
                r = last_logged(m, &logged);
        /* A database that is older than the journal, or a new one, begins here. */
        m->logged = r < 0 ? 0 : MIN(logged, last);
        if (r >= 0)
                r = log_all(m, true);
        else if (r == -ENOENT) {
                /* A journal without any is one that is not kept, not one that lost its end: what has not
                 * finished is logged. */
                r = log_all(m, false);
                if (r >= 0)
                        m->logged = last;
        } else
                m->logged = last;
        if (r < 0)
                log_warning_errno(r,
                                "Failed to log the changes of state that the journal may have missed: %m");
}
