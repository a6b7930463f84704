/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/job-feed.h"

#include "basic/log.h"
#include "basic/string-util.h"

#define WINDOW USEC_PER_SEC
#define RETRY_INTERVAL (500 * USEC_PER_MSEC) /* when the database could not be read */
/* By then the database has what the journal said, and nothing is lost if it is forgotten here. */
#define FORGET_AFTER (5 * USEC_PER_SEC)

struct JobFeed {
        Api *api;
        const JobFeedOps *ops;
        void *userdata;
        EventListener listener;
        FeedJob *jobs; /* by id */
        sd_event_source *timer;
        usec_t update_at; /* monotonic; USEC_INFINITY: the timer is off */
};

void feed_job_add_progress(const FeedJob *j, JobRow *row) {
        if (!j->has_progress || row->state != JOB_RUNNING)
                return;
        row->phase = j->phase;
        row->percent = j->percent;
        row->bytes_done = j->bytes_done;
        row->bytes_total = j->bytes_total;
        row->rate = j->rate;
        row->updated_at = MAX(row->updated_at, j->realtime);
}

static void feed_job_free(JobFeed *f, FeedJob *j) {
        HASH_DEL(f->jobs, j);
        free(j->id);
        free(j);
}

static FeedJob *feed_job_get(JobFeed *f, const char *id) {
        FeedJob *j;

        HASH_FIND_STR(f->jobs, id, j);
        if (j)
                return j;
        j = new0(FeedJob, 1);
        if (!j)
                return NULL;
        j->id = strdup(id);
        if (!j->id) {
                free(j);
                return NULL;
        }
        HASH_ADD_KEYPTR(hh, f->jobs, j->id, strlen(j->id), j);
        return j;
}

static void arm(JobFeed *f, usec_t at) {
        if (at >= f->update_at)
                return;
        f->update_at = at;
        (void) sd_event_source_set_time(f->timer, at);
        (void) sd_event_source_set_enabled(f->timer, SD_EVENT_ONESHOT);
}

/* Tells of the change now, or when it is time. */
static void job_changed(JobFeed *f, FeedJob *j, usec_t now) {
        usec_t *oldest = &j->told[j->n_told % f->ops->per_second];
        usec_t due = j->n_told >= f->ops->per_second ? *oldest + WINDOW : 0;
        int r;

        j->pending = true;
        if (now < due)
                return arm(f, due);

        r = f->ops->on_job(j, f->userdata);
        if (r < 0 && r != -ENOENT) {
                /* The database may be busy; the change is not lost. */
                log_warning_errno(r, "Failed to tell WebSocket clients of job %s, trying again: %m", j->id);
                return arm(f, now + RETRY_INTERVAL);
        }
        j->pending = false;
        /* Not @now: reading the job may have taken time, and the window begins when clients were told. */
        *oldest = now_monotonic();
        j->n_told++;
}

static void on_event(const JobEvent *event, void *userdata) {
        usec_t now = now_monotonic();
        JobFeed *f = userdata;
        FeedJob *j;

        if (event->kind != EVENT_STATE && event->kind != EVENT_PHASE && event->kind != EVENT_PROGRESS)
                return; /* lines of the log */
        j = feed_job_get(f, event->job_id);
        if (!j)
                return (void) log_oom();

        j->heard = now;
        j->has_progress = event->kind != EVENT_STATE; /* another state: an attempt begins or has ended */
        j->phase = event->phase;
        j->percent = event->percent;
        j->bytes_done = event->bytes_done;
        j->bytes_total = event->bytes_total;
        j->rate = event->rate;
        j->realtime = event->realtime;
        job_changed(f, j, now);
}

static void on_schedule(const ScheduleEvent *event, void *userdata) {
        JobFeed *f = userdata;

        f->ops->on_schedule(event, f->userdata);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        usec_t now = now_monotonic();
        FeedJob *j, *next;
        JobFeed *f = userdata;

        f->update_at = USEC_INFINITY;
        HASH_ITER(hh, f->jobs, j, next)
                if (j->pending)
                        job_changed(f, j, now);
        return 0;
}

void job_feed_forget(JobFeed *f, usec_t now) {
        FeedJob *j, *next;

        HASH_ITER(hh, f->jobs, j, next)
                if (!j->pending && now >= j->heard + FORGET_AFTER)
                        feed_job_free(f, j);
}

JobFeed *job_feed_free(JobFeed *f) {
        FeedJob *j, *next;

        if (!f)
                return NULL;
        event_hub_ignore(api_events(f->api), &f->listener);
        sd_event_source_disable_unref(f->timer);
        HASH_ITER(hh, f->jobs, j, next)
                feed_job_free(f, j);
        return mfree(f);
}

int job_feed_new(Api *a, const JobFeedOps *ops, void *userdata, JobFeed **ret) {
        _cleanup_(job_feed_freep) JobFeed *f = new0(JobFeed, 1);
        int r;

        if (!f)
                return -ENOMEM;
        assert(ops->per_second > 0 && ops->per_second <= JOB_FEED_PER_SECOND_MAX);
        *f = (JobFeed){ .api = a, .ops = ops, .userdata = userdata, .update_at = USEC_INFINITY };
        f->listener = (EventListener){ .on_event = on_event, .on_schedule = on_schedule, .userdata = f };
        r = event_hub_listen(api_events(a), &f->listener);
        if (r >= 0)
                r = sd_event_add_time(api_event(a), &f->timer, CLOCK_MONOTONIC, USEC_INFINITY, USEC_PER_MSEC,
                                on_timer, f);
        if (r >= 0)
                r = sd_event_source_set_enabled(f->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}
