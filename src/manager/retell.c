/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A change of state is durable first and told to the journal second, and the manager can be killed, or the
 * power cut, in between; journald itself may lose its last minutes then. So after a start whatever is
 * younger in the database than the last change that is in the journal is told now: changes are told in their
 * order, by nobody else. */

#include <systemd/sd-journal.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/manager.h"
#include "shared/job-event.h"

/* Finished jobs that are looked at: more do not end in the time that a journal can lose. */
#define FINISHED_MAX 1000u

/* When the last change of state was told; 0 if the journal has none. */
static int last_told(Manager *m, usec_t *ret) {
        sd_journal *journal = NULL;
        uint64_t realtime = 0;
        int r;

        if (m->journal_directory)
                r = sd_journal_open_directory(&journal, m->journal_directory, 0);
        else
                r = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (r >= 0)
                r = sd_journal_add_match(journal, "_SYSTEMD_UNIT=hyper-managerd.service", 0);
        if (r >= 0)
                r = sd_journal_add_match(journal, "HYPER_EVENT=state", 0);
        if (r >= 0)
                r = sd_journal_seek_tail(journal);
        if (r >= 0)
                r = sd_journal_previous(journal);
        if (r > 0)
                r = sd_journal_get_realtime_usec(journal, &realtime);
        sd_journal_close(journal);
        if (r >= 0)
                *ret = realtime;
        return r;
}

/* Tells what changed after @since, in order. */
static int retell_job(Manager *m, const char *id, usec_t since) {
        JobStateRow *rows = NULL;
        size_t n = 0;
        int r = store_job_states(m->store, id, &rows, &n);

        for (size_t i = 0; i < n; i++) {
                JobEvent e = JOB_EVENT_INIT(EVENT_STATE);

                if (rows[i].timestamp <= since)
                        continue;
                e.job_id = (char *) id;
                e.state = rows[i].state;
                e.message = rows[i].reason;
                r = job_event_send(&e);
                if (r < 0)
                        break;
        }
        job_state_rows_free(rows, n);
        return r;
}

static int retell_finished(Manager *m, usec_t since) {
        const JobFilter filter = {
                .states = 1u << JOB_COMPLETED | 1u << JOB_FAILED | 1u << JOB_CANCELLED,
                .order = JOB_ORDER_NEWEST,
                .limit = FINISHED_MAX,
        };
        _cleanup_(job_rows_done) JobRows rows = {};
        int r = store_jobs_list(m->store, &filter, &rows);

        for (size_t i = 0; r >= 0 && i < rows.n; i++)
                if (rows.rows[i]->finished_at > since)
                        r = retell_job(m, rows.rows[i]->id, since);
        return r;
}

void manager_retell(Manager *m) {
        usec_t since = 0;
        int r = last_told(m, &since);

        for (Job *j = m->jobs; r >= 0 && j; j = j->hh.next)
                if (j->row->updated_at > since)
                        r = retell_job(m, j->row->id, since);
        /* A journal without any is one that is not kept, not one that lost its end. */
        if (r >= 0 && since > 0)
                r = retell_finished(m, since);
        if (r < 0)
                log_warning_errno(r, "Failed to tell the journal what it may have missed: %m");
}
