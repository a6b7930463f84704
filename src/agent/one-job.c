/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/one-job.h"

#include <openssl/evp.h>
#include <sysexits.h>

#include "agent/agent-util.h"
#include "agent/answer.h"
#include "agent/dequeue.h"
#include "agent/held-job.h"
#include "agent/link.h"
#include "agent/report.h"
#include "agent/server.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "spec/job-state.h"

#define PATIENCE (2 * USEC_PER_MINUTE)

char *one_job_worker(const char *worker_id, const char *job_id) {
        _cleanup_free_ char *whole = strprintf("%s\n%s", worker_id, job_id);
        unsigned char d[EVP_MAX_MD_SIZE];
        unsigned n = 0;

        if (!whole || EVP_Digest(whole, strlen(whole), d, &n, EVP_sha256(), NULL) != 1 || n < 4)
                return NULL;
        return strprintf("%.56s:%.56s:%02x%02x%02x%02x", worker_id, job_id, d[0], d[1], d[2], d[3]);
}

/* --- its end --------------------------------------------------------------------------------------- */

static void on_unregistered(Agent *a, Ask *ask, const HttpResult *result) {
        /* If that failed, a worker remains on the server that is not heard from any more. */
        (void) sd_event_exit(a->event, a->status);
}

static void end(Agent *a, int status) {
        _cleanup_free_ char *path = strprintf("/workers/%s", a->settings->worker.id);

        a->status = status;
        a->link = LINK_WAITING;
        server_abort(&a->link_ask);
        a->link_timer = sd_event_source_disable_unref(a->link_timer);
        a->patience = sd_event_source_disable_unref(a->patience);
        if (path)
                server_ask(a, &a->dequeue, "DELETE", path, NULL, SERVER_TIMEOUT, on_unregistered);
        else
                (void) sd_event_exit(a->event, status);
}

static int status_of(JobState state) {
        switch (state) {
        case JOB_COMPLETED:
                return 0;
        case JOB_CANCELLED:
                return ONE_JOB_CANCELLED;
        case JOB_FAILED:
                return ONE_JOB_FAILED;
        default:
                return EX_TEMPFAIL;
        }
}

/* --- taking it ------------------------------------------------------------------------------------- */

static void refused(Agent *a, const HttpResult *result, int status) {
        _cleanup_free_ char *message = answer_message(result->response, result->response_size);

        log_notice("The server does not assign job %s to this machine: %s", a->only_job,
                        message ? message : strempty(result->error));
        end(a, status);
}

static bool is_refusal(const HttpResult *result, unsigned status) {
        return result->status == status &&
                        answer_is_error_for(
                                        result->response, result->response_size, status, "/queue/dequeue");
}

static void on_given(Agent *a, Ask *ask, const HttpResult *result) {
        _cleanup_free_ char *id = NULL, *why = NULL;
        int r;

        if (is_refusal(result, 409)) {
                refused(a, result, EX_TEMPFAIL);
                return;
        }
        if (is_refusal(result, 400)) {
                refused(a, result, EX_UNAVAILABLE);
                return;
        }
        if (!result->success) {
                link_ask_failed(a, result, "/queue/dequeue");
                return;
        }
        r = answer_dequeued(result->response, result->response_size, &id, &why);
        if (r == -ENOMEM)
                agent_fail(a, r, "Failed to read a job");
        else if (r < 0 || !streq_ptr(id, a->only_job)) {
                /* What it gives instead goes back to its queue. */
                log_error("The server gives another job than %s, which was asked for: its version of hyper "
                          "is too old for --job.",
                                a->only_job);
                end(a, EX_UNAVAILABLE);
        } else {
                a->given = true;
                adopt(a, id);
        }
}

static void take(Agent *a) {
        _cleanup_json_ json_t *question = question_json(a->settings, 0);

        if (!question || json_object_set_new(question, "job_id", json_string(a->only_job)) < 0)
                agent_fail(a, -ENOMEM, "Failed to ask for a job");
        else
                server_ask(a, &a->dequeue, "POST", "/queue/dequeue", TAKE_PTR(question), SERVER_TIMEOUT,
                                on_given);
}

static void decide(Agent *a, const JobAnswer *job) {
        JobState state = job_state_from_string(job->state);
        bool held = state == JOB_ASSIGNED || state == JOB_RUNNING;

        if (held && streq_ptr(job->worker_id, a->settings->worker.id))
                adopt(a, a->only_job);
        else if (a->given || a->stopping || job_state_is_terminal(state)) {
                log_info("Job %s is %s.", a->only_job, job->state);
                end(a, status_of(state));
        } else
                take(a);
}

static void on_looked(Agent *a, Ask *ask, const HttpResult *result) {
        _cleanup_(job_answer_done) JobAnswer job = {};
        _cleanup_free_ char *why = NULL;
        int r;

        switch (verdict_of(result, a->only_job)) {
        case VERDICT_DONE:
                r = answer_job(result->response, result->response_size, &job, &why);
                if (r >= 0)
                        decide(a, &job);
                else if (r == -EBADMSG) {
                        log_error("The server's description of job %s is malformed: %s", a->only_job,
                                        strna(why));
                        end(a, EX_UNAVAILABLE);
                } else
                        agent_fail(a, r, "Failed to read a job");
                break;
        case VERDICT_UNAVAILABLE:
                link_failed(a, result);
                break;
        default:
                refused(a, result, EX_NOINPUT);
        }
}

void one_job_go(Agent *a) {
        _cleanup_free_ char *path = NULL;

        if (a->link != LINK_UP || a->look.out || a->dequeue.out || a->n_held + a->n_adoptions > 0)
                return;
        path = strprintf("/jobs/%s", a->only_job);
        if (path)
                server_ask(a, &a->look, "GET", path, NULL, SERVER_TIMEOUT, on_looked);
        else
                agent_fail(a, -ENOMEM, "Failed to ask for a job");
}

/* --- no server, and SIGTERM ------------------------------------------------------------------------ */

static int on_patience(sd_event_source *s, uint64_t usec, void *userdata) {
        Agent *a = userdata;

        a->patience = sd_event_source_disable_unref(a->patience);
        if (a->given || a->n_held + a->n_adoptions > 0)
                return 0;
        log_error("The server %s was out of reach for too long, and job %s is not taken.",
                        a->settings->server.url, a->only_job);
        return sd_event_exit(a->event, EX_TEMPFAIL);
}

int one_job_start(Agent *a) {
        return sd_event_add_time_relative(
                        a->event, &a->patience, CLOCK_MONOTONIC, PATIENCE, USEC_PER_MSEC, on_patience, a);
}

void one_job_stop(Agent *a) {
        HeldJob *h;

        if (a->stopping)
                return;
        a->stopping = true;
        LIST_FOREACH(h, &a->held, entries)
                held_cancel(h);
        if (a->n_held + a->n_adoptions == 0 && !a->look.out && !a->dequeue.out)
                end(a, EX_TEMPFAIL);
}
