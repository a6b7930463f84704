/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How jobs come: asking for one, and finding out what it is. */

#include "agent/dequeue.h"
#include "agent/agent-util.h"
#include "agent/held-job.h"
#include "agent/link.h"
#include "agent/report.h"
#include "agent/server.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "spec/job-state.h"

/* How long the server may keep us waiting for a job, in seconds. */
#define WAIT 30u
#define DEQUEUE_TIMEOUT (WAIT * USEC_PER_SEC + SERVER_TIMEOUT)
/* Between questions to a server that answers "none" without waiting. */
#define POLL_PAUSE (2 * USEC_PER_SEC)

static int on_dequeue_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Agent *a = userdata;

        a->dequeue_timer = sd_event_source_disable_unref(a->dequeue_timer);
        dequeue_go(a);
        return 0;
}

static void dequeue_later(Agent *a, usec_t span) {
        int r = sd_event_add_time_relative(a->event, &a->dequeue_timer, CLOCK_MONOTONIC, span, USEC_PER_MSEC,
                        on_dequeue_timer, a);

        if (r < 0)
                agent_fail(a, r, "Failed to set a timer");
}

static void on_dequeued(Agent *a, Ask *ask, const HttpResult *result) {
        _cleanup_free_ char *id = NULL, *why = NULL;
        int r;

        if (!result->success) {
                link_ask_failed(a, result, "/queue/dequeue");
                return;
        }
        r = answer_dequeued(result->response, result->response_size, &id, &why);
        if (r == -ENOMEM)
                agent_fail(a, r, "Failed to read a job");
        else if (r < 0) {
                /* If a job was in it, the next heartbeat says which. */
                log_warning("The server's response to the request for a job is malformed: %s", strna(why));
                dequeue_later(a, agent_jitter(10 * POLL_PAUSE));
        } else if (id) {
                adopt(a, id);
                dequeue_go(a);
        } else
                dequeue_later(a,
                                result->duration >= WAIT * USEC_PER_SEC / 2 ? agent_jitter(USEC_PER_SEC / 8)
                                                                            : agent_jitter(POLL_PAUSE));
}

void dequeue_go(Agent *a) {
        if (a->link != LINK_UP || a->dequeue.out || a->dequeue_timer ||
                        a->n_held + a->n_adoptions >= a->settings->worker.max_jobs)
                return;
        server_ask(a, &a->dequeue, "POST", "/queue/dequeue", question_json(a->settings, WAIT),
                        DEQUEUE_TIMEOUT, on_dequeued);
}

void dequeue_stop(Agent *a) {
        server_abort(&a->dequeue);
        server_abort(&a->look);
        a->dequeue_timer = sd_event_source_disable_unref(a->dequeue_timer);
}

/* --- adoption -------------------------------------------------------------------------------------- */

Adoption *adoption_free(Adoption *d) {
        if (!d)
                return NULL;
        server_abort(&d->ask);
        LIST_REMOVE(d, entries);
        d->agent->n_adoptions--;
        free(d->job_id);
        return mfree(d);
}
DEFINE_CLEANUP_FUNC(Adoption *, adoption_free);

/* A job that cannot be done here at all is told to have failed, without a file: if we die before that is
 * acknowledged, the server still counts it as ours, and all begins again. */
static int take_refused(Agent *a, const JobAnswer *job, const char *why) {
        HeldFile f = {
                .server = strdup(a->settings->server.url),
                .worker_id = strdup(a->settings->worker.id),
                .job_id = strdup(job->job_id),
                .attempt = job->attempt,
                .local_id = held_local_id(a->settings->server.url, job),
                .spec = json_object(),
        };
        json_t *result = result_failed(a->settings->worker.id, "refused_by_worker", why, true);
        HeldJob *h;
        int r = f.server && f.worker_id && f.job_id && f.local_id && f.spec && result ? held_new(a, &f, &h)
                                                                                      : -ENOMEM;

        if (r < 0) {
                held_file_done(&f);
                json_decref(result);
                return r;
        }
        log_warning("Job %s cannot be done here: %s", job->job_id, why);
        h->end_seen = true;
        held_ended(h, result);
        return 0;
}

static int take(Agent *a, const JobAnswer *job) {
        _cleanup_(held_file_done) HeldFile file = {};
        _cleanup_free_ char *why = NULL;
        HeldJob *h;
        int r = held_file_from_answer(a->settings->server.url, a->settings->worker.id, job, &file, &why);

        if (r == -EBADMSG)
                return take_refused(a, job, why);
        if (r < 0)
                return r;
        /* Durable before anything is done about it. */
        r = held_file_write(a->directory, &file);
        if (r >= 0)
                r = held_new(a, &file, &h);
        if (r < 0)
                return r;
        log_info("Took job %s of %s, attempt %u, as %s.", job->job_id, a->settings->server.url, job->attempt,
                        h->file.local_id);
        held_begin(h);
        return 0;
}

/* True if the job is ours to do. */
static bool is_ours(const Agent *a, const Adoption *d, const JobAnswer *job) {
        JobState state = job_state_from_string(job->state);

        return streq(job->job_id, d->job_id) && streq_ptr(job->worker_id, a->settings->worker.id) &&
                        (state == JOB_ASSIGNED || state == JOB_RUNNING);
}

static void on_job(Agent *a, Ask *ask, const HttpResult *result) {
        _cleanup_(adoption_freep) Adoption *d = CONTAINER_OF(ask, Adoption, ask);
        _cleanup_(job_answer_done) JobAnswer job = {};
        _cleanup_free_ char *why = NULL;
        int r;

        switch (verdict_of(result, d->job_id)) {
        case VERDICT_DONE:
                r = answer_job(result->response, result->response_size, &job, &why);
                if (r == -EBADMSG)
                        log_warning("The server's description of job %s is malformed: %s", d->job_id,
                                        strna(why));
                else if (r >= 0 && !held_find(a, d->job_id) && is_ours(a, d, &job))
                        r = take(a, &job);
                if (r < 0 && r != -EBADMSG)
                        agent_fail(a, r, "Failed to take a job");
                break;
        case VERDICT_UNAVAILABLE:
                /* The next heartbeat names it again. (This frees all adoptions.) */
                TAKE_PTR(d);
                link_failed(a, result);
                return;
        default:
                log_debug("Job %s is gone: %s", d->job_id, strempty(result->error));
        }
        d = adoption_free(d);
        agent_status(a);
        a->hooks->room(a);
}

void adopt(Agent *a, const char *job_id) {
        HeldJob *h = held_find(a, job_id);
        _cleanup_free_ char *path = strprintf("/jobs/%s", job_id);
        Adoption *d;

        /* Ours, and given to us again: then it was lost to us in between, and what we have of it is of an
         * attempt that is over. It is asked for again when that is gone (the next heartbeat names it). */
        if (h) {
                if (h->stage != HELD_DROPPED && h->stage != HELD_ENDED)
                        held_drop(h, "the server has begun another attempt");
                return;
        }
        LIST_FOREACH(d, &a->adoptions, entries)
                if (streq(d->job_id, job_id))
                        return;
        d = new0(Adoption, 1);
        if (d) {
                d->agent = a;
                d->job_id = strdup(job_id);
                LIST_INSERT_HEAD(&a->adoptions, d, entries);
                a->n_adoptions++;
        }
        if (!d || !d->job_id || !path)
                agent_fail(a, -ENOMEM, "Failed to take a job");
        else
                server_ask(a, &d->ask, "GET", path, NULL, SERVER_TIMEOUT, on_job);
}
