/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Progress of running jobs: from the journal, to the database and the bus at most once a second. */

#include "basic/log.h"
#include "manager/webhook.h"

#define FLUSH_INTERVAL USEC_PER_SEC

static int on_progress_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        progress_flush(userdata);
        return 0;
}

void progress_wake(Manager *m) {
        int enabled = SD_EVENT_OFF, r;

        if (m->progress_timer && sd_event_source_get_enabled(m->progress_timer, &enabled) >= 0 &&
                        enabled != SD_EVENT_OFF)
                return;
        m->progress_timer = sd_event_source_disable_unref(m->progress_timer);
        r = sd_event_add_time_relative(m->event, &m->progress_timer, CLOCK_MONOTONIC, FLUSH_INTERVAL,
                        100 * USEC_PER_MSEC, on_progress_timer, m);
        if (r < 0)
                log_error_errno(r, "Failed to set the timer of progress: %m");
}

static void on_event(JournalFollow *f, const JobEvent *e, void *userdata) {
        Manager *m = userdata;
        Job *j = manager_get_job(m, e->job_id);

        if (!j || job_is_finished(j) || !job_holds_slot(j))
                return;
        switch (e->kind) {
        case EVENT_PHASE:
        case EVENT_PROGRESS:
                job_progress(j, e->phase >= 0 ? e->phase : j->row->phase, e->percent, e->bytes_done,
                                e->bytes_total, e->rate);
                progress_wake(m);
                break;
        case EVENT_ERROR:
                if (job_note_error(j, e->phase, e->message) < 0)
                        log_oom();
                break;
        default:
                break;
        }
}

int progress_follow(Manager *m) {
        if (m->follow)
                return 0;
        return journal_follow_new(m->event, m->journal_directory, NULL, on_event, m, &m->follow);
}

static size_t count_dirty(Manager *m) {
        size_t n = 0;

        for (Job *j = m->jobs; j; j = j->hh.next)
                n += j->progress_dirty;
        return n;
}

/* The tenth of the whole that the job has passed, if webhooks have not been told of it; else 0. */
static unsigned untold_tenth(const Job *j) {
        unsigned tenth = j->row->percent > 0 ? (unsigned) (MIN(j->row->percent, 100.0) / 10) : 0;

        return tenth > j->told_tenth ? tenth : 0;
}

void progress_flush(Manager *m) {
        size_t n = count_dirty(m), k = 0;
        _cleanup_free_ JobProgress *list = NULL;

        if (n == 0)
                return;
        list = new0(JobProgress, n);
        if (!list) {
                log_oom();
                return;
        }
        for (Job *j = m->jobs; j; j = j->hh.next)
                if (j->progress_dirty)
                        list[k++] = (JobProgress){ .id = j->row->id,
                                .phase = j->row->phase,
                                .percent = j->row->percent,
                                .bytes_done = j->row->bytes_done,
                                .bytes_total = j->row->bytes_total,
                                .rate = j->row->rate,
                                .tell = untold_tenth(j) > 0 };
        int r = store_job_progress(m->store, list, n, m->clock());
        if (r < 0) {
                /* The next event brings newer figures: these are not missed. */
                log_warning_errno(r, "Failed to record the progress of %zu jobs: %m", n);
                return;
        }
        for (Job *j = m->jobs; j; j = j->hh.next)
                if (j->progress_dirty) {
                        j->progress_dirty = false;
                        j->told_tenth = MAX(j->told_tenth, untold_tenth(j));
                        job_bus_progress_changed(j);
                }
        outbox_wake(m->outbox);
}
