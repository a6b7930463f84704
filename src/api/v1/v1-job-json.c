/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "api/job-json.h"
#include "api/v1/v1-job-decode.h"
#include "api/v1/v1-job-json.h"
#include "basic/string-util.h"
#include "spec/carbon-hold.h"
#include "spec/submitter.h"
#include "json/json-redact.h"

/* "45s", "12m", "2h5m" */
static json_t *duration_json(uint64_t seconds) {
        uint64_t hours = seconds / 3600, minutes = seconds / 60 % 60;
        char text[48];

        if (seconds < 60)
                (void) snprintf(text, sizeof(text), "%" PRIu64 "s", seconds);
        else if (hours == 0)
                (void) snprintf(text, sizeof(text), "%" PRIu64 "m", minutes);
        else if (minutes == 0)
                (void) snprintf(text, sizeof(text), "%" PRIu64 "h", hours);
        else
                (void) snprintf(text, sizeof(text), "%" PRIu64 "h%" PRIu64 "m", hours, minutes);
        return json_string(text);
}

/* How long the whole job takes; false if that is not known. */
static bool estimate(const JobRow *row, usec_t now, uint64_t *ret) {
        usec_t end = row->finished_at > 0 ? row->finished_at : now;
        uint64_t left;

        if (row->started_at == 0 || !job_row_remaining(row, &left))
                return false;
        *ret = left + (end > row->started_at ? (end - row->started_at) / USEC_PER_SEC : 0);
        return true;
}

static json_t *progress_json(const JobRow *row) {
        return row->state == JOB_COMPLETED ? json_real(100) : json_real(CLAMP(row->percent, 0.0, 100.0));
}

static json_t *file_json(json_t *output) {
        json_t *checksum = json_object_get(output, "sha256");

        return json_pack("{s:O?, s:O?, s:O?, s:O?, s:O?}", "path", json_object_get(output, "path"), "format",
                        json_object_get(output, "format"), "size_bytes",
                        json_object_get(output, "actual_size"), "virtual_size_bytes",
                        json_object_get(output, "virtual_size"), "sha256", checksum);
}

static json_t *files_json(json_t *outputs) {
        _cleanup_json_ json_t *files = json_array();
        json_t *output;
        size_t i;

        json_array_foreach(outputs, i, output)
                if (json_array_append_new(files, file_json(output)) < 0)
                        return NULL;
        return TAKE_PTR(files);
}

static json_t *result_json(const JobRow *row) {
        _cleanup_json_ json_t *result = row->state == JOB_COMPLETED ? job_row_result(row) : NULL;
        json_t *outputs = json_object_get(result, "outputs");
        usec_t duration = row->finished_at > row->started_at ? row->finished_at - row->started_at : 0;

        if (!result)
                return json_null();
        return json_pack("{s:O?, s:o, s:o, s:o, s:O?, s:O*, s:O*}", "output_path",
                        json_object_get(json_array_get(outputs, 0), "path"), "files", files_json(outputs),
                        "duration_seconds", json_count(duration / USEC_PER_SEC), "bytes_transferred",
                        json_count(row->bytes_done), "vm", json_object_get(result, "vm"), "guest",
                        json_object_get(result, "guest"), "domain", json_object_get(result, "domain"));
}

static const char *error_of(const JobRow *row, const json_t *result) {
        return job_row_error_text(row, result);
}

static json_t *error_json(const JobRow *row) {
        _cleanup_json_ json_t *result = row->state == JOB_FAILED ? job_row_result(row) : NULL;

        return json_text(error_of(row, result));
}

/* Those of the client; of another dialect's job, or that of a schedule, what it could have been submitted
 * with. */
static json_t *options_json(const JobRow *row, json_t *spec) {
        json_t *parameters = json_object_get(spec, "parameters"), *path;

        if (row->request && streq_ptr(row->dialect, V1_DIALECT)) {
                _cleanup_json_ json_t *request = json_loads(row->request, 0, NULL);
                json_t *options = json_object_get(request, "options");

                return json_is_object(options) ? json_incref(options) : json_object();
        }

        path = json_path_get(spec, "destination.path");
        if (!path)
                path = json_path_get(spec, "destination.directory");
        return json_pack("{s:O?, s:O*, s:O*}", "destination", path, "compress",
                        json_object_get(parameters, "compress"), "verify",
                        json_object_get(parameters, "verify"));
}

static json_t *warnings_json(const CarbonHold *hold) {
        return hold && hold->warning ? json_pack("[s]", hold->warning) : json_array();
}

/* What the client has given, or else who it was. */
static json_t *created_by_json(const JobRow *row, json_t *spec) {
        json_t *given = json_path_get(spec, "audit_info.requested_by");

        if (given)
                return json_incref(given);
        _cleanup_free_ char *name = submitter_name_of(row->submitter);
        return !name ? NULL : isempty(name) ? json_null() : json_string(name);
}

json_t *v1_job_json(const JobPageRow *page_row, const V1JobMore *more, usec_t now) {
        const JobRow *row = page_row->row;
        _cleanup_json_ json_t *canonical = json_loads(row->spec, 0, NULL),
                              *spec = json_is_object(canonical) ? json_redact(canonical) : json_object(),
                              *job = NULL;
        _cleanup_(carbon_hold_freep) CarbonHold *hold = NULL;
        const char *phase = job_phase_to_string(row->phase);
        uint64_t seconds = 0;
        bool known = estimate(row, now, &seconds);

        if (row->carbon && carbon_hold_decode(row->carbon, &hold) == -ENOMEM)
                return NULL;
        job = json_pack("{s:o, s:o, s:s, s:s, s:o, s:O?, s:o, s:O?, s:o, s:s?, s:o, s:o, s:o, s:o, s:i, s:i, "
                        "s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s?, s:o, s:o, s:o}",
                        "id", json_text(row->id), "type", json_text(page_row->type), "status",
                        job_status_to_string(job_status_of_state(row->state)), "state",
                        job_state_to_string(row->state), "provider", json_text(page_row->provider),
                        "provider_id", json_path_get(spec, "source.name"), "vm_name",
                        json_text(page_row->name), "format", json_path_get(spec, "destination.format"),
                        "progress", progress_json(row), "phase", phase, "bytes_done",
                        json_count(row->bytes_done), "bytes_total", json_count(row->bytes_total),
                        "estimated_duration", known ? duration_json(seconds) : json_null(),
                        "estimated_seconds", known ? json_count(seconds) : json_null(), "priority",
                        (int) row->priority, "attempt", (int) row->attempt, "queue_position",
                        more->queue_position > 0 ? json_count(more->queue_position) : json_null(),
                        "created_at", json_time(row->created_at), "updated_at", json_time(row->updated_at),
                        "started_at", json_time(row->started_at), "completed_at",
                        json_time(row->finished_at), "error", error_json(row), "result", result_json(row),
                        "hold", carbon_hold_waiting_json(hold, row->state, row->due_at), "carbon",
                        carbon_hold_ended_json(hold), "schedule_id", more->schedule_id, "created_by",
                        created_by_json(row, spec), "warnings", warnings_json(hold), "options",
                        options_json(row, spec));
        return job && job_row_add_warm(row, job) >= 0 && job_row_add_submitter(row, job) >= 0 &&
                                        job_row_add_waits_for(row, job) >= 0
                        ? TAKE_PTR(job)
                        : NULL;
}

/* --- its schema ------------------------------------------------------------------------------------ */

static const SchemaField file_fields[] = {
        { "path", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "format", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "size_bytes", SCHEMA_INTEGER, SCHEMA_NULLABLE },
        { "virtual_size_bytes", SCHEMA_INTEGER, SCHEMA_NULLABLE },
        { "sha256", SCHEMA_STRING, SCHEMA_NULLABLE },
        {},
};
static const Schema file_schema = { .name = "OutputFile", .fields = file_fields };

static const SchemaField result_fields[] = {
        { "output_path", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "files", SCHEMA_ARRAY, .schema = &file_schema },
        { "duration_seconds", SCHEMA_INTEGER },
        { "bytes_transferred", SCHEMA_INTEGER },
        { "vm", SCHEMA_OBJECT, SCHEMA_NULLABLE, "The hardware of the source." },
        { "guest", SCHEMA_OBJECT, SCHEMA_OPTIONAL,
                        "What was found in the guest, what was changed, and what could not be." },
        { "domain", SCHEMA_OBJECT, SCHEMA_OPTIONAL, "The domain of libvirt: name, UUID, XML." },
        {},
};
static const Schema result_schema = { .name = "JobResult", .fields = result_fields };

static const SchemaField hold_fields[] = {
        { "until", SCHEMA_TIMESTAMP },
        { "not_after", SCHEMA_TIMESTAMP, .description = "It starts then in any case." },
        { "reason", SCHEMA_STRING, .description = "\"carbon\"" },
        { "intensity_now", SCHEMA_NUMBER, SCHEMA_NULLABLE },
        { "intensity_expected", SCHEMA_NUMBER, SCHEMA_NULLABLE },
        {},
};
static const Schema hold_schema = { .name = "JobHold", .fields = hold_fields };

static const SchemaField carbon_fields[] = {
        { "zone", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "source", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "intensity_at_submit", SCHEMA_NUMBER, SCHEMA_NULLABLE },
        { "intensity_at_start", SCHEMA_NUMBER, SCHEMA_NULLABLE },
        { "waited_seconds", SCHEMA_INTEGER },
        {},
};
static const Schema carbon_schema = { .name = "JobCarbon", .fields = carbon_fields };

static const SchemaField job_fields[] = {
        { "id", SCHEMA_STRING },
        { "type", SCHEMA_STRING,
                        .description = "export, migration, convert, or an operation of the worker API" },
        { "status", SCHEMA_WORD, .word = job_status_to_string },
        { "state", SCHEMA_STRING, .description = "As in the journal and on the bus." },
        { "provider", SCHEMA_WORD, .word = job_provider_to_string },
        { "provider_id", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "vm_name", SCHEMA_STRING },
        { "format", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "progress", SCHEMA_NUMBER, .description = "0 to 100" },
        { "phase", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "bytes_done", SCHEMA_INTEGER },
        { "bytes_total", SCHEMA_INTEGER },
        { "estimated_duration", SCHEMA_STRING, SCHEMA_NULLABLE, "Of the whole job, like 45s, 12m or 2h5m." },
        { "estimated_seconds", SCHEMA_INTEGER, SCHEMA_NULLABLE },
        { "priority", SCHEMA_INTEGER },
        { "attempt", SCHEMA_INTEGER },
        { "queue_position", SCHEMA_INTEGER, SCHEMA_NULLABLE },
        { "created_at", SCHEMA_TIMESTAMP },
        { "updated_at", SCHEMA_TIMESTAMP },
        { "started_at", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        { "completed_at", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        { "error", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "result", SCHEMA_OBJECT, SCHEMA_NULLABLE, "Of a completed job.", &result_schema },
        { "hold", SCHEMA_OBJECT, SCHEMA_NULLABLE, "While it waits for a low carbon intensity.",
                        &hold_schema },
        { "carbon", SCHEMA_OBJECT, SCHEMA_NULLABLE, "When it has waited for that.", &carbon_schema },
        { "schedule_id", SCHEMA_STRING, SCHEMA_NULLABLE, "Of the schedule that has submitted it." },
        { "created_by", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "warnings", SCHEMA_ARRAY, .description = "Why it did not wait for a low carbon intensity." },
        { "options", SCHEMA_OBJECT },
        { "submitter", SCHEMA_OBJECT, SCHEMA_OPTIONAL, "Who has submitted it, if that is known.",
                        &job_submitter_schema },
        WAITS_FOR_FIELD,
        { "warm", SCHEMA_OBJECT, SCHEMA_OPTIONAL, "Of a warm job." },
        {},
};
const Schema v1_job_schema = { .name = "Job", .fields = job_fields };
