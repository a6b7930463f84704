/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hypersdk/hypersdk-submit.h"
#include "api/http/request-body.h"

#include <errno.h>

#include "api/http/reply.h"
#include "api/hypersdk/hypersdk-decode.h"
#include "api/hypersdk/hypersdk-json.h"
#include "api/hypersdk/hypersdk-quirks.h"
#include "api/job-submit.h"
#include "basic/string-util.h"
#include "shared/error-table.h"

/* What became of one job of the request. */
typedef struct Submitted {
        char *id; /* accepted */
        char *error; /* or rejected, and why */
        int status; /* HTTP, if it had been the only one */
        json_t *origins; /* of its fields, while the manager looks at it */
} Submitted;

typedef struct Submission {
        const SubmissionKind *kind;
        char *workflow_id;
        Submitted *jobs;
        size_t n, n_pending;
        bool batch;
} Submission;

static void submission_free(void *userdata) {
        Submission *s = userdata;

        for (size_t i = 0; i < s->n; i++) {
                free(s->jobs[i].id);
                free(s->jobs[i].error);
                json_decref(s->jobs[i].origins);
        }
        free(s->jobs);
        free(s->workflow_id);
        free(s);
}

static int reject(Submission *s, size_t i, int status, const char *text) {
        s->jobs[i].status = status;
        s->jobs[i].error = s->batch ? strprintf("%s[%zu]: %s", s->kind->prefix, i, text) : strdup(text);
        return s->jobs[i].error ? 0 : -ENOMEM;
}

/* All answers are there. Nothing accepted is an error: the jobs' own status if they agree, else 400. */
static int reply(Request *r, const Submission *s) {
        _cleanup_strv_free_ char **ids = NULL, **errors = NULL;
        int status = 0, k;

        for (size_t i = 0; i < s->n; i++) {
                const Submitted *job = &s->jobs[i];

                if (job->id)
                        k = strv_extend(&ids, job->id);
                else {
                        k = strv_extend(&errors, strempty(job->error));
                        status = status == 0 || status == job->status ? job->status : 400;
                }
                if (k < 0)
                        return k;
        }
        return s->kind->reply(r, ids, errors, s->batch, s->workflow_id, (unsigned) status);
}

static int on_submitted(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        Submission *s = request_userdata(r);
        size_t i = PTR_TO_SIZE(userdata);
        int k;

        if (error) {
                const ErrorEntry *entry = error_entry_by_bus_name(error->name);
                _cleanup_free_ char *text =
                                job_submit_error_text(error, s->kind->fields, s->jobs[i].origins);

                k = text ? reject(s, i, entry->http_status, text) : -ENOMEM;
        } else {
                const char *id;
                bool created;

                k = job_submit_reply_read(m, &id, &created);
                if (k >= 0)
                        k = free_and_strdup(&s->jobs[i].id, id);
        }
        if (k < 0)
                return k;
        s->n_pending--;
        return s->n_pending == 0 ? reply(r, s) : 0;
}

/* Sends the job on its way, or notes why it is refused. */
static int submit_one(Request *r, Submission *s, size_t i, json_t *object) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(dialect_job_done) DialectJob job = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        int k;

        k = s->kind->decode(object, &job, &errors);
        if (k == -EBADMSG) {
                _cleanup_free_ char *text = json_errors_text(&errors);

                return text ? reject(s, i, 400, text) : -ENOMEM;
        }
        if (k < 0)
                return k;
        k = job_submit_call_new(r, &job, HYPERSDK_DIALECT, false, &m);
        if (k < 0)
                return k;
        k = manager_call(r, m, on_submitted, SIZE_TO_PTR(i));
        if (k < 0)
                return k;
        s->jobs[i].origins = json_incref(job.origins);
        s->n_pending++;
        return 0;
}

int hypersdk_submission_start(
                Request *r, const SubmissionKind *kind, json_t *list, bool batch, const char *workflow_id) {
        Submission *s = new0(Submission, 1);
        int k;

        if (!s)
                return -ENOMEM;
        request_set_userdata(r, s, submission_free);
        s->kind = kind;
        s->batch = batch;
        s->jobs = new0(Submitted, json_array_size(list));
        if (!s->jobs)
                return -ENOMEM;
        s->n = json_array_size(list);
        k = free_and_strdup(&s->workflow_id, workflow_id);
        if (k < 0)
                return k;

        for (size_t i = 0; i < s->n; i++) {
                k = submit_one(r, s, i, json_array_get(list, i));
                if (k < 0)
                        return k;
        }
        return s->n_pending == 0 ? reply(r, s) : 0;
}

static int reply_submitted(Request *r, char *const *ids, char *const *errors, bool batch,
                const char *workflow_id, unsigned status) {
        if (ids)
                status = hypersdk_submit_status(
                                api_submit_status(request_api(r)), request_header(r, "User-Agent"));
        return request_reply_json(r, status,
                        hypersdk_submitted_json(ids, strv_length(errors), errors, batch, now_realtime()));
}

int hypersdk_submit(Request *r) {
        static const SubmissionKind kind = { "jobs", hypersdk_fields, hypersdk_job_decode, reply_submitted };
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *body = NULL, *list = NULL;
        bool batch;
        int k;

        k = request_json(r, &body);
        if (k < 0)
                return k;
        k = hypersdk_submit_decode(body, &list, &batch, &errors);
        if (k == -EBADMSG) {
                _cleanup_free_ char *text = json_errors_text(&errors);

                return text ? request_reply_error(r, 400, "%s", text) : -ENOMEM;
        }
        if (k < 0)
                return k;
        return hypersdk_submission_start(r, &kind, list, batch, NULL);
}
