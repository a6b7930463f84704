/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hypersdk/hypersdk-workflow.h"
#include "api/http/request-body.h"
#include "store/jobs-list.h"
#include "store/jobs.h"

#include <strings.h>
#include <time.h>

#include "api/http/reply.h"
#include "api/hypersdk/hypersdk-decode.h"
#include "api/hypersdk/hypersdk-json.h"
#include "api/hypersdk/hypersdk-manifest.h"
#include "api/hypersdk/hypersdk-read.h"
#include "api/hypersdk/hypersdk-submit.h"
#include "api/job-json.h"
#include "api/jobs-reply.h"
#include "api/reading.h"
#include "basic/string-util.h"
#include "spec/job-id.h"
#include "json/json-table.h"

/* --- lists ----------------------------------------------------------------------------------------- */

typedef struct ListParameters {
        uint32_t states;
        const char *workflow_id;
        uint64_t limit, offset;
} ListParameters;

/* The words of workflow clients, besides those of the API. */
static uint32_t states_of_word(const char *word) {
        static const char *const active[] = { "processing", "active" };

        for (size_t i = 0; i < ELEMENTSOF(active); i++)
                if (strcasecmp(active[i], word) == 0)
                        return hypersdk_status_to_states("running");
        return hypersdk_status_to_states(word);
}

const QueryField hypersdk_workflow_parameters[] = {
        { .key = "status",
                        .type = QUERY_ENUM_SET,
                        .offset = offsetof(ListParameters, states),
                        .mask_from_string = states_of_word,
                        .expected = "one of pending, processing, completed, failed, cancelled" },
        { .key = "workflow_id", .type = QUERY_STRING, .offset = offsetof(ListParameters, workflow_id) },
        { .key = "limit",
                        .type = QUERY_UINT64,
                        .offset = offsetof(ListParameters, limit),
                        .max = HYPERSDK_LIMIT_MAX },
        { .key = "offset",
                        .type = QUERY_UINT64,
                        .offset = offsetof(ListParameters, offset),
                        .max = INT64_MAX },
        {},
};

static json_t *workflow_job_json(const JobRow *row, usec_t now) {
        _cleanup_json_ json_t *job = hypersdk_job_json(row), *info = NULL;
        const char *name = json_string_value(json_path_get(job, "definition.name"));
        json_t *workflow_id = json_path_get(job, "definition.workflow_id");
        usec_t started = row->started_at > 0 ? row->started_at : row->created_at,
               end = row->finished_at > 0 ? row->finished_at : now;

        if (!job)
                return NULL;
        info = json_pack("{s:o, s:o, s:O, s:i, s:o, s:o, s:s}", "id", json_text(row->id), "name",
                        json_text(isempty(name) ? row->id : name), "stage",
                        json_path_get(job, "progress.stage"), "progress", (int) job_row_percent(row),
                        "started_at", json_time(started), "elapsed_seconds",
                        json_count(end > started ? (end - started) / USEC_PER_SEC : 0), "status",
                        job_state_to_status(row->state));
        if (!info)
                return NULL;
        if (json_is_string(workflow_id) && json_object_set(info, "workflow_id", workflow_id) < 0)
                return NULL;
        return TAKE_PTR(info);
}

static const JobsFormat workflow_format = { .to_json = workflow_job_json, .step = 25 };

static int reply_jobs(Request *r, const ListParameters *q) {
        const JobFilter filter = { .states = q->states,
                .workflow_id = q->workflow_id,
                .order = JOB_ORDER_NEWEST,
                .limit = q->limit > 0 ? q->limit : HYPERSDK_LIMIT_DEFAULT,
                .offset = q->offset };
        usec_t now = now_realtime();

        return request_reply_jobs(
                        r, &filter, json_pack("{s:o}", "timestamp", json_time(now)), &workflow_format, now);
}

int hypersdk_workflow_jobs(Request *r) {
        ListParameters q = {};
        int k = request_query_decode(r, &q);

        return k < 0 ? k : reply_jobs(r, &q);
}

int hypersdk_workflow_active_jobs(Request *r) {
        ListParameters q = {};
        int k = request_query_decode(r, &q);

        q.states = states_of_word("active");
        return k < 0 ? k : reply_jobs(r, &q);
}

/* --- status ---------------------------------------------------------------------------------------- */

/* Midnight, local time. */
static usec_t begin_of_today(usec_t now) {
        time_t seconds = (time_t) (now / USEC_PER_SEC);
        struct tm tm;

        if (!localtime_r(&seconds, &tm))
                return now;
        tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
        tm.tm_isdst = -1;
        seconds = mktime(&tm);
        return seconds < 0 ? now : (usec_t) seconds * USEC_PER_SEC;
}

/* How many have ended is counted, in a thread: that may be many. */
typedef struct StatusReading {
        usec_t now;
        uint64_t counts[_JOB_STATE_MAX], processed, failed;
} StatusReading;

static int read_status(Store *store, void *userdata) {
        StatusReading *g = userdata;
        usec_t since = begin_of_today(g->now);
        int r = store_jobs_count(store, g->counts);

        if (r >= 0)
                r = store_jobs_count_ended(store, JOB_COMPLETED, since, &g->processed);
        return r < 0 ? r : store_jobs_count_ended(store, JOB_FAILED, since, &g->failed);
}

static int reply_status(Request *r, int result, void *userdata) {
        usec_t started = api_started_at(request_api(r));
        const StatusReading *g = userdata;
        uint64_t pending = 0;

        if (result < 0 && result != -ENOENT)
                return result;
        for (JobState s = 0; s < _JOB_STATE_MAX; s++)
                if (!job_state_is_terminal(s) && s != JOB_RUNNING)
                        pending += g->counts[s];
        return request_reply_json(r, 200,
                        json_pack("{s:s, s:b, s:o, s:o, s:o, s:o, s:i, s:o, s:o}", "mode", "manifest",
                                        "running", 1, "queue_depth", json_count(pending), "active_jobs",
                                        json_count(g->counts[JOB_RUNNING]), "processed_today",
                                        json_count(g->processed), "failed_today", json_count(g->failed),
                                        "max_workers", (int) hypersdk_max_running(), "uptime_seconds",
                                        json_count(g->now > started ? (g->now - started) / USEC_PER_SEC : 0),
                                        "timestamp", json_time(g->now)));
}

int hypersdk_workflow_status(Request *r) {
        static const ReadingOps ops = { read_status, reply_status, free };
        StatusReading *g = new0(StatusReading, 1);

        if (!g)
                return -ENOMEM;
        g->now = now_realtime();
        return request_read(r, &ops, g);
}

/* --- manifests ------------------------------------------------------------------------------------- */

typedef struct Manifest {
        json_t *jobs;
        bool batch;
        char *workflow_id;
        char **errors; /* all that is wrong, one line each */
} Manifest;

static void manifest_done(Manifest *m) {
        json_decref(m->jobs);
        free(m->workflow_id);
        strv_free(m->errors);
}

static int add_errors(Manifest *m, const char *vm, const JsonErrors *errors) {
        for (size_t i = 0; i < errors->n_errors; i++) {
                _cleanup_free_ char *text = json_error_text(&errors->errors[i]);
                int k = text ? strv_extendf(&m->errors, "%s%s", vm, text) : -ENOMEM;

                if (k < 0)
                        return k;
        }
        return 0;
}

static int check_job(Manifest *m, size_t i) {
        _cleanup_free_ char *vm = m->batch ? strprintf("vms[%zu]: ", i) : strdup("");
        _cleanup_(dialect_job_done) DialectJob job = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        int k;

        if (!vm)
                return -ENOMEM;
        k = hypersdk_manifest_job_decode(json_array_get(m->jobs, i), &job, &errors);
        return k == -EBADMSG ? add_errors(m, vm, &errors) : k;
}

/* Reads the body, and checks all of it. What is wrong is in ret->errors. */
static int read_manifest(Request *r, Manifest *ret) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *body = NULL;
        int k;

        k = request_json_object(r, &body);
        if (k < 0)
                return k;
        k = hypersdk_manifest_decode(body, &ret->jobs, &ret->batch, &ret->workflow_id, &errors);
        if (k == -EBADMSG)
                return add_errors(ret, "", &errors);
        if (k < 0)
                return k;
        for (size_t i = 0; i < json_array_size(ret->jobs); i++) {
                k = check_job(ret, i);
                if (k < 0)
                        return k;
        }
        return 0;
}

int hypersdk_validate_manifest(Request *r) {
        _cleanup_(manifest_done) Manifest m = {};
        int k = read_manifest(r, &m);

        return k < 0 ? k
                     : request_reply_json(r, 200,
                                       json_pack("{s:b, s:o}", "valid", !m.errors, "errors",
                                                       hypersdk_strings_json(m.errors)));
}

static int reply_manifest(Request *r, char *const *ids, char *const *errors, bool batch,
                const char *workflow_id, unsigned status) {
        _cleanup_free_ char *text = strv_join(errors, "; ");
        _cleanup_json_ json_t *answer = NULL;

        if (!text)
                return -ENOMEM;
        answer = json_pack("{s:b, s:o, s:o, s:s?, s:i, s:i, s:o, s:o}", "success", ids != NULL, "job_id",
                        json_text(ids ? ids[0] : NULL), "job_ids", hypersdk_strings_json(ids), "workflow_id",
                        workflow_id, "accepted", (int) strv_length(ids), "rejected",
                        (int) strv_length(errors), "errors", hypersdk_strings_json(errors), "timestamp",
                        json_time(now_realtime()));
        if (!answer || (!ids && json_object_set_new(answer, "error", json_text(text)) < 0))
                return -ENOMEM;
        return request_reply_json(r, ids ? 200 : status, TAKE_PTR(answer));
}

int hypersdk_submit_manifest(Request *r) {
        static const SubmissionKind kind = { "vms", hypersdk_manifest_fields, hypersdk_manifest_job_decode,
                reply_manifest };
        _cleanup_(manifest_done) Manifest m = {};
        int k = read_manifest(r, &m);

        if (k < 0)
                return k;
        /* One VM that is wrong: none is submitted. */
        if (m.errors)
                return reply_manifest(r, NULL, m.errors, m.batch, m.workflow_id, 400);
        return hypersdk_submission_start(r, &kind, m.jobs, m.batch, m.workflow_id);
}
