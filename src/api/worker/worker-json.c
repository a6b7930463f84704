/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>

#include "api/job-json.h"
#include "api/worker/worker-decode.h"
#include "api/worker/worker-json.h"
#include "basic/string-util.h"
#include "store/jobs-list.h"
#include "store/jobs.h"

/* A phase as people read it. */
static const char *const phase_titles[_PHASE_MAX] = {
        [PHASE_INITIALIZATION] = "Starting job execution",
        [PHASE_EXTRACTION] = "Unpacking the source",
        [PHASE_INSPECTION] = "Inspecting the source",
        [PHASE_CONVERSION] = "Converting disk format",
        [PHASE_VERIFICATION] = "Verifying the output",
        [PHASE_GUEST] = "Fixing the guest",
        [PHASE_FINALIZATION] = "Finishing the output",
};

/* What "phase" says when no phase is known: the state in lower case, and for RUNNING the first phase. */
static json_t *phase_json(JobPhase phase, JobState state) {
        char word[32] = "";
        const char *name = job_phase_to_string(phase);

        if (!name && state == JOB_RUNNING)
                name = job_phase_to_string(PHASE_INITIALIZATION);
        if (!name) {
                const char *s = strempty(job_state_to_string(state));

                for (size_t i = 0; s[i] && i < sizeof(word) - 1; i++)
                        word[i] = (char) tolower((unsigned char) s[i]);
                name = word;
        }
        return json_string(name);
}

/* Details are a map of strings in this API. */
static int add_detail(json_t *details, const char *key, uint64_t value) {
        char text[32];

        (void) snprintf(text, sizeof(text), "%" PRIu64, value);
        return json_object_set_new(details, key, json_string(text));
}

static json_t *details_json(uint64_t done, uint64_t total, uint64_t rate, json_t *more) {
        _cleanup_json_ json_t *details = json_object();
        const char *key;
        json_t *value;

        if (!details)
                return NULL;
        json_object_foreach(more, key, value) {
                _cleanup_free_ char *text = json_is_string(value)
                                ? NULL
                                : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

                if (json_object_set_new(details, key,
                                    json_is_string(value) ? json_copy(value) : json_string(text)) < 0)
                        return NULL;
        }
        if (total > 0 &&
                        (add_detail(details, "bytes_processed", done) < 0 ||
                                        add_detail(details, "total_bytes", total) < 0))
                return NULL;
        if (rate > 0 && add_detail(details, "bytes_per_second", rate) < 0)
                return NULL;
        return TAKE_PTR(details);
}

static const SchemaField event_fields[] = {
        { "job_id", SCHEMA_STRING },
        { "timestamp", SCHEMA_TIMESTAMP },
        { "phase", SCHEMA_STRING, .description = "A phase, or a state in lower case." },
        { "percentage", SCHEMA_INTEGER, .max = 100 },
        { "progress_percent", SCHEMA_INTEGER, .max = 100, .description = "The same value." },
        { "message", SCHEMA_STRING },
        { "details", SCHEMA_MAP },
        {},
};

const Schema worker_event_schema = { .name = "Event", .fields = event_fields };

/* The row knows as much as the last event, to the second: reading the journal for each GET would cost more
 * than it tells. */
static json_t *latest_event_json(const JobRow *row) {
        _cleanup_free_ char *message = NULL;
        unsigned percent = job_row_percent(row);
        bool in_phase = row->state == JOB_RUNNING && row->phase >= 0 && row->phase < _PHASE_MAX;

        if (in_phase && row->bytes_total > 0)
                message = strprintf("%s: %u%% complete", phase_titles[row->phase], percent);
        else if (in_phase)
                message = strdup(phase_titles[row->phase]);
        else
                message = strdup(!isempty(row->reason) ? row->reason
                                                       : strempty(job_state_to_string(row->state)));
        if (!message)
                return NULL;
        return json_pack("{s:o, s:o, s:o, s:i, s:i, s:o, s:o}", "job_id", json_text(row->id), "timestamp",
                        json_time(row->updated_at), "phase",
                        phase_json(in_phase ? row->phase : _PHASE_INVALID, row->state), "percentage",
                        (int) percent, "progress_percent", (int) percent, "message", json_text(message),
                        "details",
                        details_json(row->bytes_done, row->bytes_total, in_phase ? row->rate : 0, NULL));
}

static const char *state_word(int i) {
        return i < _JOB_STATE_MAX ? job_state_to_string((JobState) i) : NULL;
}

static const SchemaField history_fields[] = {
        { "state", SCHEMA_WORD, .word = state_word },
        { "timestamp", SCHEMA_TIMESTAMP },
        { "reason", SCHEMA_STRING },
        {},
};

static const Schema history_schema = { .name = "StateChange", .fields = history_fields };

static json_t *history_json(const JobStateRow *states, size_t n) {
        _cleanup_json_ json_t *history = json_array();

        for (size_t i = 0; i < n; i++)
                if (!history ||
                                json_array_append_new(history,
                                                json_pack("{s:s, s:o, s:o}", "state",
                                                                strempty(job_state_to_string(
                                                                                states[i].state)),
                                                                "timestamp", json_time(states[i].timestamp),
                                                                "reason",
                                                                json_text(strempty(states[i].reason)))) < 0)
                        return NULL;
        return TAKE_PTR(history);
}

static const char *const end_words[] = { "completed", "failed", "cancelled", NULL };

static const char *end_word(int i) {
        return end_words[i];
}

static const SchemaField failure_fields[] = {
        { "phase", SCHEMA_STRING, SCHEMA_NULLABLE, "Where it failed, if that is known." },
        { "code", SCHEMA_STRING, SCHEMA_NULLABLE, "For programs, if there is one." },
        { "message", SCHEMA_STRING },
        { "retryable", SCHEMA_BOOLEAN, SCHEMA_OPTIONAL, "Whether trying again may help, if that is known." },
        {},
};

static const Schema failure_schema = { .name = "Failure", .fields = failure_fields };

static const SchemaField result_fields[] = {
        { "status", SCHEMA_WORD, .word = end_word },
        { "outputs", SCHEMA_ARRAY_ANY, .description = "The files that were created." },
        { "metrics", SCHEMA_OBJECT, .description = "Metrics of the job." },
        { "vm", SCHEMA_OBJECT, SCHEMA_OPTIONAL, "The hardware of the source, if it describes it." },
        { "domain", SCHEMA_OBJECT, SCHEMA_OPTIONAL, "The domain of libvirt: name, UUID, XML." },
        { "guest", SCHEMA_OBJECT, SCHEMA_OPTIONAL,
                        "Of an inspection, and of a job that fixes a guest: what was found in it, what was "
                        "changed, and what could not be." },
        { "remains", SCHEMA_OBJECT, SCHEMA_OPTIONAL,
                        "Of a warm job that has ended without a result: what is left on its source." },
        { "error", SCHEMA_OBJECT, SCHEMA_NULLABLE, "Why it failed.", &failure_schema },
        {},
};

static const Schema result_schema = { .name = "Result", .fields = result_fields };

static json_t *result_json(const JobRow *row) {
        _cleanup_json_ json_t *result = NULL;

        if (!job_state_is_terminal(row->state))
                return json_null();
        result = job_row_result(row);

        json_t *outputs = json_object_get(result, "outputs"), *metrics = json_object_get(result, "metrics"),
               *error = json_object_get(result, "error");
        if (row->state != JOB_FAILED)
                error = NULL;
        return json_pack("{s:s, s:o, s:o, s:O*, s:O*, s:O*, s:O*, s:o}", "status",
                        end_words[row->state == JOB_COMPLETED                      ? 0
                                                        : row->state == JOB_FAILED ? 1
                                                                                   : 2],
                        "outputs", json_is_array(outputs) ? json_incref(outputs) : json_array(), "metrics",
                        json_is_object(metrics) ? json_incref(metrics) : json_object(), "vm",
                        json_object_get(result, "vm"), "guest", json_object_get(result, "guest"), "domain",
                        json_object_get(result, "domain"), "remains", json_object_get(result, "remains"),
                        "error",
                        json_is_object(error) ? json_incref(error)
                                        : row->state == JOB_FAILED
                                        ? json_pack("{s:n, s:n, s:o}", "phase", "code", "message",
                                                          json_text(job_row_error_text(row, result)))
                                        : json_null());
}

static const SchemaField job_fields[] = {
        { "job_id", SCHEMA_STRING },
        { "spec", SCHEMA_OBJECT, 0, "As it was submitted, secrets \"***\".", &worker_spec_schema },
        { "state", SCHEMA_WORD, .word = state_word },
        { "state_history", SCHEMA_ARRAY, .schema = &history_schema, .description = "Oldest first." },
        { "result", SCHEMA_OBJECT, SCHEMA_NULLABLE, "null until it has ended.", &result_schema },
        { "latest_event", SCHEMA_OBJECT, .schema = &worker_event_schema },
        { "is_terminal", SCHEMA_BOOLEAN, .description = "The job has ended." },
        { "created_at", SCHEMA_TIMESTAMP },
        { "updated_at", SCHEMA_TIMESTAMP },
        { "started_at", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        { "completed_at", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE, "When it ended, however it did." },
        { "attempt", SCHEMA_INTEGER,
                        .description = "The number of the attempt, from 1; 0 before the first one." },
        { "worker_id", SCHEMA_STRING, SCHEMA_NULLABLE, "Who carries it out." },
        { "submitter", SCHEMA_OBJECT, SCHEMA_OPTIONAL, "Who has submitted it, if that is known.",
                        &job_submitter_schema },
        WAITS_FOR_FIELD,
        { "warm", SCHEMA_OBJECT, SCHEMA_OPTIONAL, "Where a warm job stands." },
        {},
};

const Schema worker_job_schema = { .name = "Job", .fields = job_fields };

json_t *worker_job_json(const JobRow *row, const JobStateRow *states, size_t n_states) {
        _cleanup_json_ json_t *job = json_pack(
                        "{s:o, s:o, s:s, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:i, s:o}", "job_id",
                        json_text(row->id), "spec",
                        job_row_definition(row, WORKER_DIALECT, worker_fields, "job_id"), "state",
                        strempty(job_state_to_string(row->state)), "state_history",
                        history_json(states, n_states), "result", result_json(row), "latest_event",
                        latest_event_json(row), "is_terminal", job_state_is_terminal(row->state),
                        "created_at", json_time(row->created_at), "updated_at", json_time(row->updated_at),
                        "started_at", json_time(row->started_at), "completed_at",
                        json_time(row->finished_at), "attempt", (int) row->attempt, "worker_id",
                        json_text(row->worker_id));

        return job && job_row_add_warm(row, job) >= 0 && job_row_add_submitter(row, job) >= 0 &&
                                        job_row_add_waits_for(row, job) >= 0
                        ? TAKE_PTR(job)
                        : NULL;
}

static const SchemaField summary_fields[] = {
        { "job_id", SCHEMA_STRING },
        { "state", SCHEMA_WORD, .word = state_word },
        { "created_at", SCHEMA_TIMESTAMP },
        { "updated_at", SCHEMA_TIMESTAMP },
        { "is_terminal", SCHEMA_BOOLEAN, .description = "The job has ended." },
        { "operation", SCHEMA_STRING },
        { "percentage", SCHEMA_INTEGER, .max = 100 },
        { "submitter", SCHEMA_OBJECT, SCHEMA_OPTIONAL, "Who has submitted it, if that is known.",
                        &job_submitter_schema },
        WAITS_FOR_FIELD,
        {},
};

static const Schema summary_schema = { .name = "JobSummary", .fields = summary_fields };

json_t *worker_summary_json(const JobRow *row, usec_t now) {
        _cleanup_json_ json_t *job = json_pack("{s:o, s:s, s:o, s:o, s:b, s:o, s:i}", "job_id",
                        json_text(row->id), "state", strempty(job_state_to_string(row->state)), "created_at",
                        json_time(row->created_at), "updated_at", json_time(row->updated_at), "is_terminal",
                        job_state_is_terminal(row->state), "operation", json_text(row->operation),
                        "percentage", (int) job_row_percent(row));

        return job && job_row_add_submitter(row, job) >= 0 && job_row_add_waits_for(row, job) >= 0
                        ? TAKE_PTR(job)
                        : NULL;
}

static const SchemaField jobs_fields[] = {
        { "total", SCHEMA_INTEGER, .description = "The number without limit and offset." },
        { "jobs", SCHEMA_ARRAY, .schema = &summary_schema },
        {},
};

const Schema worker_jobs_schema = { .name = "JobList", .fields = jobs_fields };

static const SchemaField submitted_fields[] = {
        { "job_id", SCHEMA_STRING },
        { "state", SCHEMA_WORD, .word = state_word },
        { "message", SCHEMA_STRING },
        { "queue_position", SCHEMA_INTEGER, SCHEMA_NULLABLE, "From 1; null if it does not wait." },
        {},
};

const Schema worker_submitted_schema = { .name = "Submitted", .fields = submitted_fields };

json_t *worker_submitted_json(const char *id, JobState state, bool created, uint64_t position) {
        const char *message = !created ? "Job exists already with the same spec"
                        : position > 0 ? "Job queued successfully"
                                       : "Job submitted successfully";

        return json_pack("{s:o, s:s, s:s, s:o}", "job_id", json_text(id), "state",
                        strempty(job_state_to_string(state)), "message", message, "queue_position",
                        position > 0 ? json_count(position) : json_null());
}

json_t *worker_event_json(const JobEvent *event, unsigned *percent) {
        _cleanup_json_ json_t *details = NULL;

        if (event->percent >= 0)
                *percent = event->percent >= 100 ? 100 : (unsigned) event->percent;
        else if (event->kind == EVENT_STATE && event->state == JOB_COMPLETED)
                *percent = 100;

        details = details_json(event->bytes_done, event->bytes_total, event->rate, event->details);
        if (!details)
                return NULL;
        if (event->kind == EVENT_STATE &&
                        json_object_set_new(details, "state",
                                        json_string(strempty(job_state_to_string(event->state)))) < 0)
                return NULL;
        return json_pack("{s:o, s:o, s:o, s:i, s:i, s:o, s:O}", "job_id", json_text(event->job_id),
                        "timestamp", json_time(event->realtime), "phase",
                        phase_json(event->phase, event->kind == EVENT_STATE ? event->state : JOB_RUNNING),
                        "percentage", (int) *percent, "progress_percent", (int) *percent, "message",
                        json_text(strempty(event->message)), "details", details);
}

json_t *worker_events_json(JobEvent *const *events, size_t n, unsigned *percent) {
        _cleanup_json_ json_t *list = json_array();

        for (size_t i = 0; i < n; i++)
                if (!list || json_array_append_new(list, worker_event_json(events[i], percent)) < 0)
                        return NULL;
        return TAKE_PTR(list);
}

static const SchemaField cancelled_fields[] = {
        { "job_id", SCHEMA_STRING },
        { "state", SCHEMA_WORD, .word = state_word },
        { "message", SCHEMA_STRING },
        {},
};

const Schema worker_cancelled_schema = { .name = "Cancelled", .fields = cancelled_fields };

json_t *worker_cancelled_json(const JobRow *row) {
        return json_pack("{s:o, s:s, s:s}", "job_id", json_text(row->id), "state",
                        strempty(job_state_to_string(row->state)), "message", "Job cancelled successfully");
}

json_t *worker_retried_json(const JobRow *row) {
        return json_pack("{s:o, s:s, s:s}", "job_id", json_text(row->id), "state",
                        strempty(job_state_to_string(row->state)), "message", "Job queued again");
}

static const SchemaField retry_fields[] = {
        { "secrets", SCHEMA_MAP, SCHEMA_OPTIONAL,
                        .description = "The secrets of the job, which were removed when it failed" },
        {},
};
const Schema worker_retry_schema = { .name = "Retry", .fields = retry_fields };

static const SchemaField error_fields[] = {
        { "job_id", SCHEMA_STRING },
        { "state", SCHEMA_WORD, .word = state_word },
        { "message", SCHEMA_STRING },
        { "error", SCHEMA_STRING, .description = "The same value." },
        { "percentage", SCHEMA_INTEGER, .description = "The last progress." },
        {},
};

const Schema worker_stream_error_schema = { .name = "StreamError", .fields = error_fields };

json_t *worker_error_json(const char *job_id, JobState state, unsigned percent, const char *reason) {
        const char *message = !isempty(reason) ? reason : "The job failed; its log may say more.";

        return json_pack("{s:o, s:s, s:o, s:o, s:i}", "job_id", json_text(job_id), "state",
                        strempty(job_state_to_string(state)), "message", json_text(message), "error",
                        json_text(message), "percentage", (int) percent);
}

static const SchemaField complete_fields[] = {
        { "state", SCHEMA_WORD, .word = state_word },
        { "job_id", SCHEMA_STRING },
        { "reason", SCHEMA_STRING },
        { "percentage", SCHEMA_INTEGER, .description = "The last progress; 100 if COMPLETED." },
        {},
};

/* Clients of the published example read a percentage from each event, also from the last. */
const Schema worker_complete_schema = { .name = "StreamComplete", .fields = complete_fields };

json_t *worker_complete_json(const char *job_id, JobState state, unsigned percent, const char *reason) {
        return json_pack("{s:s, s:o, s:o, s:i}", "state", strempty(job_state_to_string(state)), "job_id",
                        json_text(job_id), "reason", json_text(strempty(reason)), "percentage",
                        state == JOB_COMPLETED ? 100 : (int) percent);
}

static const char *health_word(int i) {
        return i == 0 ? "healthy" : NULL;
}

static const SchemaField health_fields[] = {
        { "status", SCHEMA_WORD, .word = health_word },
        { "version", SCHEMA_STRING, .description = "The version of the API." },
        { "timestamp", SCHEMA_TIMESTAMP },
        { "workers", SCHEMA_INTEGER },
        { "active_jobs", SCHEMA_INTEGER, .description = "The number of running jobs." },
        {},
};

const Schema worker_health_schema = { .name = "Health", .fields = health_fields };

json_t *worker_health_json(uint64_t workers, uint64_t active, usec_t now) {
        return json_pack("{s:s, s:s, s:o, s:o, s:o}", "status", "healthy", "version", "v1", "timestamp",
                        json_time(now), "workers", json_count(workers), "active_jobs", json_count(active));
}
