/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Progress of running jobs: from the journal, to the database and the bus at most once a second. */

#include "manager/progress.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "journal/journal-follow.h"
#include "manager/job-signal.h"
#include "manager/webhook/outbox.h"
#include "manager/webhook/webhook.h"
#include "store/job-changes.h"
#include "store/jobs.h"

#define FLUSH_INTERVAL USEC_PER_SEC

struct Progress {
        JournalFollow *follow;
        sd_event_source *timer; /* at most one write a second */
        bool is_new; /* of some job, since the last write */
};

int progress_new(Progress **ret) {
        Progress *p = new0(Progress, 1);

        if (!p)
                return -ENOMEM;
        *ret = p;
        return 0;
}

Progress *progress_free(Progress *p) {
        if (!p)
                return NULL;
        sd_event_source_disable_unref(p->timer);
        journal_follow_free(p->follow);
        return mfree(p);
}

static int on_progress_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        progress_flush(userdata);
        return 0;
}

void progress_wake(Manager *m) {
        Progress *p = m->progress;
        int enabled = SD_EVENT_OFF, r;

        p->is_new = true;
        if (p->timer && sd_event_source_get_enabled(p->timer, &enabled) >= 0 && enabled != SD_EVENT_OFF)
                return;
        p->timer = sd_event_source_disable_unref(p->timer);
        r = sd_event_add_time_relative(m->event, &p->timer, CLOCK_MONOTONIC, FLUSH_INTERVAL,
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
        if (m->progress->follow)
                return 0;
        return journal_follow_new(m->event, m->journal_directory, NULL, on_event, m, &m->progress->follow);
}

void progress_look(Manager *m) {
        if (m->progress->follow)
                journal_follow_look(m->progress->follow);
}

/* The tenth of the whole that the job has passed, if webhooks have not been told of it; else 0. */
static unsigned untold_tenth(const Job *j) {
        unsigned tenth = j->row->percent > 0 ? (unsigned) (MIN(j->row->percent, 100.0) / 10) : 0;

        return tenth > j->told_tenth ? tenth : 0;
}

/* The jobs that progress: those here, and those that workers hold. */
static size_t count_under_way(Manager *m) {
        size_t n = 0;
        Job *j;

        TAILQ_FOREACH(j, &m->index.here, in_list)
                n++;
        TAILQ_FOREACH(j, &m->index.held, in_list)
                n++;
        return n;
}

static size_t list_dirty(struct JobList *list, Job **ret) {
        size_t n = 0;
        Job *j;

        TAILQ_FOREACH(j, list, in_list)
                if (j->progress_dirty)
                        ret[n++] = j;
        return n;
}

static int write_progress(Manager *m, Job **jobs, size_t n) {
        _cleanup_free_ JobProgress *list = new0(JobProgress, n);

        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                list[i] = (JobProgress){ .id = jobs[i]->row->id,
                        .phase = jobs[i]->row->phase,
                        .percent = jobs[i]->row->percent,
                        .bytes_done = jobs[i]->row->bytes_done,
                        .bytes_total = jobs[i]->row->bytes_total,
                        .rate = jobs[i]->row->rate,
                        .tell = untold_tenth(jobs[i]) > 0 };
        return store_job_progress(m->store, list, n, m->clock());
}

static void is_recorded(Job *j) {
        j->progress_dirty = false;
        j->told_tenth = MAX(j->told_tenth, untold_tenth(j));
}

int progress_record(Job *j) {
        int r = j->progress_dirty ? write_progress(j->manager, &j, 1) : 0;

        if (r >= 0)
                is_recorded(j);
        return r;
}

void progress_flush(Manager *m) {
        _cleanup_free_ Job **dirty = NULL;
        size_t n;
        int r;

        if (!m->progress->is_new)
                return;
        m->progress->is_new = false;
        dirty = new0(Job *, count_under_way(m) + 1);
        if (!dirty) {
                log_oom();
                return;
        }
        n = list_dirty(&m->index.here, dirty);
        n += list_dirty(&m->index.held, dirty + n);
        if (n == 0)
                return;
        r = write_progress(m, dirty, n);
        if (r < 0) {
                /* The next event brings newer figures: these are not missed. */
                log_warning_errno(r, "Failed to record the progress of %zu jobs: %m", n);
                return;
        }
        for (size_t i = 0; i < n; i++) {
                Job *j = dirty[i];

                is_recorded(j);
                job_bus_progress_changed(j);
        }
        outbox_wake(m->outbox);
}
