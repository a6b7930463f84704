/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "api/hypersdk/hypersdk-decode.h"
#include "api/hypersdk/hypersdk-definition.h"
#include "api/hypersdk/hypersdk-json.h"
#include "api/job-json.h"
#include "basic/string-util.h"
#include "store/jobs-list.h"
#include "store/jobs.h"

#define METHOD_FILE "qemu-nbd"
#define METHOD_NBD "nbd"

json_t *hypersdk_strings_json(char *const *l) {
        _cleanup_json_ json_t *a = json_array();

        STRV_FOREACH(s, l)
                if (!a || json_array_append_new(a, json_text(*s)) < 0)
                        return NULL;
        return TAKE_PTR(a);
}

static json_t *remaining_json(const JobRow *row) {
        uint64_t seconds;

        return job_row_remaining(row, &seconds) ? json_count(seconds) : json_null();
}

json_t *hypersdk_duration_json(uint64_t seconds) {
        uint64_t hours = seconds / 3600, minutes = seconds / 60 % 60;
        char text[64];

        seconds %= 60;
        if (hours > 0)
                (void) snprintf(text, sizeof(text), "%" PRIu64 "h%" PRIu64 "m%" PRIu64 "s", hours, minutes,
                                seconds);
        else if (minutes > 0)
                (void) snprintf(text, sizeof(text), "%" PRIu64 "m%" PRIu64 "s", minutes, seconds);
        else
                (void) snprintf(text, sizeof(text), "%" PRIu64 "s", seconds);
        return json_string(text);
}

/* In progress it is text: typed clients drop an answer that has a number there. */
static json_t *remaining_text_json(const JobRow *row) {
        uint64_t seconds;

        return job_row_remaining(row, &seconds) ? hypersdk_duration_json(seconds) : json_null();
}

/* Where the job is: its phase; before it has one, and when it is done, its status. */
static const char *stage_of(const JobRow *row) {
        const char *phase = row->state == JOB_COMPLETED ? NULL : job_phase_to_string(row->phase);

        return phase ? phase : job_state_to_status(row->state);
}

static json_t *progress_json(const JobRow *row) {
        const char *stage = stage_of(row);

        return json_pack("{s:s, s:s, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "stage", stage, "phase",
                        stage, "current_step", stage, "percent_complete", (int) job_row_percent(row),
                        "current_bytes", json_count(row->bytes_done), "bytes_transferred",
                        json_count(row->bytes_done), "bytes_downloaded", json_count(row->bytes_done),
                        "total_bytes", json_count(row->bytes_total), "bytes_per_second",
                        json_count(row->state == JOB_RUNNING ? row->rate : 0), "estimated_remaining",
                        remaining_text_json(row));
}

/* "web" of "/srv/web.vmdk"; "" for NULL and for what is no path. Clients read text here in any case. */
static json_t *base_name_json(const char *path) {
        const char *slash = path ? strrchr(path, '/') : NULL, *dot = slash ? strrchr(slash, '.') : NULL;

        if (!slash)
                return json_string("");
        return json_stringn(
                        slash + 1, dot && dot > slash + 1 ? (size_t) (dot - slash - 1) : strlen(slash + 1));
}

/* "/srv" of "/srv/web.vmdk"; "" likewise */
static json_t *directory_json(const char *path) {
        const char *slash = path ? strrchr(path, '/') : NULL;

        if (!slash)
                return json_string("");
        return json_stringn(path, slash == path ? 1 : (size_t) (slash - path));
}

/* The output that describes a VM, if there is one: an OVF, or an OVA, which holds one. */
static const char *find_ovf(json_t *files) {
        json_t *file;
        size_t i;

        json_array_foreach(files, i, file) {
                const char *path = json_string_value(file);

                if (endswith(path, ".ovf") || endswith(path, ".ova"))
                        return path;
        }
        return "";
}

static int collect_outputs(const json_t *outputs, json_t *files, uint64_t *size) {
        json_t *output;
        size_t i;

        json_array_foreach(outputs, i, output) {
                json_t *path = json_object_get(output, "path");
                json_int_t n = json_integer_value(json_object_get(output, "actual_size"));

                if (json_is_string(path) && json_array_append(files, path) < 0)
                        return -ENOMEM;
                *size += n > 0 ? (uint64_t) n : 0;
        }
        return 0;
}

static json_t *result_json(const JobRow *row, const json_t *result) {
        _cleanup_json_ json_t *files = json_array(),
                              *canonical = row->spec ? json_loads(row->spec, 0, NULL) : NULL;
        const char *source = json_string_value(json_path_get(canonical, "source.path")), *first,
                   *destination = json_string_value(json_path_get(canonical, "destination.path"));
        json_t *outputs = json_object_get(result, "outputs"), *metrics = json_object_get(result, "metrics");
        uint64_t size = 0, duration = 0;

        if (!job_state_is_terminal(row->state))
                return json_null();
        if (!files || collect_outputs(outputs, files, &size) < 0)
                return NULL;
        first = json_string_value(json_array_get(files, 0));
        if (row->started_at > 0 && row->finished_at > row->started_at)
                duration = (row->finished_at - row->started_at) / USEC_PER_SEC;

        return json_pack("{s:b, s:s, s:o, s:o, s:s, s:o, s:O, s:O, s:o, s:o, s:o, s:o, s:O*, s:O*, s:O*, "
                         "s:O*, s:o}",
                        "success", row->state == JOB_COMPLETED, "status", job_state_to_status(row->state),
                        "vm_name", base_name_json(source), "output_dir",
                        directory_json(first ? first : destination), "ovf_path", find_ovf(files),
                        "output_path", json_text(first), "files", files, "output_files", files, "outputs",
                        json_is_array(outputs) ? json_incref(outputs) : json_array(), "total_size",
                        json_count(size), "duration", json_count(duration), "metrics",
                        json_is_object(metrics) ? json_incref(metrics) : json_object(), "vm",
                        json_object_get(result, "vm"), "guest", json_object_get(result, "guest"), "domain",
                        json_object_get(result, "domain"), "remains", json_object_get(result, "remains"),
                        "error", json_text(job_row_error_text(row, result)));
}

json_t *hypersdk_job_json(const JobRow *row) {
        _cleanup_json_ json_t *result = job_row_result(row), *job = NULL;

        job = json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "job_id", json_text(row->id),
                        "definition", hypersdk_definition_json(row), "status",
                        job_state_to_status(row->state), "progress", progress_json(row), "result",
                        result_json(row, result), "error", json_text(job_row_error_text(row, result)),
                        "created_at", json_time(row->created_at), "started_at", json_time(row->started_at),
                        "completed_at", json_time(row->finished_at), "updated_at",
                        json_time(row->updated_at));
        return job && job_row_add_warm(row, job) >= 0 && job_row_add_submitter(row, job) >= 0 &&
                                        job_row_add_waits_for(row, job) >= 0
                        ? TAKE_PTR(job)
                        : NULL;
}

json_t *hypersdk_jobs_json(const JobRows *rows, usec_t now) {
        _cleanup_json_ json_t *jobs = json_array();

        for (size_t i = 0; i < rows->n; i++)
                if (!jobs || json_array_append_new(jobs, hypersdk_job_json(rows->rows[i])) < 0)
                        return NULL;
        return json_pack("{s:O, s:o, s:o}", "jobs", jobs, "total", json_count(rows->total), "timestamp",
                        json_time(now));
}

json_t *hypersdk_progress_json(const JobRow *row) {
        _cleanup_json_ json_t *result = job_row_result(row), *progress = progress_json(row), *flat = NULL;

        flat = json_pack("{s:o, s:s, s:O, s:o, s:o, s:o, s:o}", "job_id", json_text(row->id), "status",
                        job_state_to_status(row->state), "progress", progress, "error",
                        json_text(job_row_error_text(row, result)), "started_at", json_time(row->started_at),
                        "completed_at", json_time(row->finished_at), "updated_at",
                        json_time(row->updated_at));
        if (!flat || json_object_update_missing(flat, progress) < 0)
                return NULL;
        return TAKE_PTR(flat);
}

json_t *hypersdk_eta_json(const JobRow *row, usec_t now) {
        usec_t end = row->finished_at > 0 ? row->finished_at : now, eta = row->finished_at;
        uint64_t elapsed = row->started_at > 0 && end > row->started_at
                        ? (end - row->started_at) / USEC_PER_SEC
                        : 0,
                 seconds;

        if (!job_state_is_terminal(row->state))
                eta = job_row_remaining(row, &seconds) && seconds < UINT32_MAX ? now + seconds * USEC_PER_SEC
                                                                               : 0;
        return json_pack("{s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "job_id",
                        json_text(row->id), "status", job_state_to_status(row->state), "percent_complete",
                        (int) job_row_percent(row), "estimated_remaining", remaining_json(row),
                        "estimated_remaining_seconds", remaining_json(row), "eta", json_time(eta),
                        "estimated_completion", json_time(eta), "elapsed", json_count(elapsed),
                        "bytes_per_second", json_count(row->state == JOB_RUNNING ? row->rate : 0),
                        "bytes_transferred", json_count(row->bytes_done), "total_bytes",
                        json_count(row->bytes_total), "timestamp", json_time(now));
}

json_t *hypersdk_status_json(const uint64_t counts[static _JOB_STATE_MAX], unsigned max_running,
                usec_t uptime, usec_t now) {
        uint64_t total = 0, running = counts[JOB_RUNNING];

        for (JobState s = 0; s < _JOB_STATE_MAX; s++)
                total += counts[s];
        return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:s, s:o, s:o, s:o}", "total_jobs",
                        json_count(total), "running_jobs", json_count(running), "completed_jobs",
                        json_count(counts[JOB_COMPLETED]), "failed_jobs", json_count(counts[JOB_FAILED]),
                        "cancelled_jobs", json_count(counts[JOB_CANCELLED]), "pending_jobs",
                        json_count(total - running - counts[JOB_COMPLETED] - counts[JOB_FAILED] -
                                        counts[JOB_CANCELLED]),
                        "worker_count", (int) max_running, "active_workers", json_count(running), "version",
                        PACKAGE_VERSION, "uptime", hypersdk_duration_json(uptime / USEC_PER_SEC),
                        "uptime_seconds", json_count(uptime / USEC_PER_SEC), "timestamp", json_time(now));
}

/* The formats in the order of the enum; a destination is one of the few that a disk can run from. */
static json_t *formats_json(bool destination, bool file_works) {
        _cleanup_json_ json_t *a = json_array();

        for (DiskFormat f = FORMAT_PROBE + 1; f < _FORMAT_MAX; f++) {
                if (!file_works ||
                                !disk_format_has((int) f,
                                                destination ? FORMAT_IS_DESTINATION : FORMAT_IS_SOURCE))
                        continue;
                if (!a || json_array_append_new(a, json_string(disk_format_to_string(f))) < 0)
                        return NULL;
        }
        return TAKE_PTR(a);
}

static json_t *operations_json(void) {
        _cleanup_json_ json_t *a = json_array();

        for (JobOperation o = 0; o < _OPERATION_MAX; o++)
                if (job_operation_is_built_in(o) &&
                                (!a ||
                                                json_array_append_new(
                                                                a, json_string(job_operation_to_string(o))) <
                                                                0))
                        return NULL;
        return TAKE_PTR(a);
}

/* What parses images of files has to be installed. */
static json_t *endpoint_types_json(EndpointEnds end, bool file_works) {
        _cleanup_json_ json_t *a = json_array();

        for (int t = 0; t < _ENDPOINT_MAX; t++) {
                const EndpointKind *kind = endpoint_kind(t);

                if (!endpoint_type_is(t, end) || (!file_works && (kind->needs & ENDPOINT_NEEDS_FILES)))
                        continue;
                if (!a || json_array_append_new(a, json_string(kind->name)) < 0)
                        return NULL;
        }
        return TAKE_PTR(a);
}

static int add_method(json_t *methods, const char *name, bool available, const char *path, int priority,
                usec_t now) {
        return json_object_set_new(methods, name,
                        json_pack("{s:s, s:b, s:s, s:s, s:i, s:o}", "method", name, "available",
                                        (int) available, "version", PACKAGE_VERSION, "path", strempty(path),
                                        "priority", priority, "last_checked", json_time(now)));
}

/* What clients look at to see by which way images can be read. */
static json_t *methods_json(const char *qemu_nbd, bool file_works, usec_t now) {
        _cleanup_json_ json_t *methods = json_object();

        if (!methods)
                return NULL;
        if (add_method(methods, METHOD_FILE, file_works, qemu_nbd, 1, now) < 0)
                return NULL;
        if (add_method(methods, METHOD_NBD, true, NULL, 2, now) < 0)
                return NULL;
        return TAKE_PTR(methods);
}

json_t *hypersdk_capabilities_json(const HypersdkTool *tools, size_t n, usec_t now) {
        _cleanup_json_ json_t *found = json_object(), *missing = json_array(), *sources = NULL,
                              *destinations = NULL;
        const char *qemu_nbd = NULL;

        if (!found || !missing)
                return NULL;
        for (size_t i = 0; i < n; i++) {
                if (json_object_set_new(found, tools[i].name, json_text(tools[i].path)) < 0)
                        return NULL;
                if (streq(tools[i].name, METHOD_FILE))
                        qemu_nbd = tools[i].path;
                if (!tools[i].path && tools[i].needed &&
                                json_array_append_new(missing, json_string(tools[i].name)) < 0)
                        return NULL;
        }

        bool file_works = json_array_size(missing) == 0;
        sources = endpoint_types_json(ENDPOINT_SOURCE, file_works);
        destinations = endpoint_types_json(ENDPOINT_DESTINATION, file_works);
        return json_pack("{s:s, s:o, s:s, s:O, s:O, s:o, s:o, s:o, s:O, s:O, s:i, s:o}", "version",
                        PACKAGE_VERSION, "capabilities", methods_json(qemu_nbd, file_works, now),
                        "default_method", file_works ? METHOD_FILE : METHOD_NBD, "source_types", sources,
                        "destination_types", destinations, "source_formats", formats_json(false, file_works),
                        "destination_formats", formats_json(true, file_works), "operations",
                        operations_json(), "tools", found, "missing_tools", missing, "max_jobs_per_request",
                        (int) HYPERSDK_BATCH_MAX, "timestamp", json_time(now));
}

json_t *hypersdk_submitted_json(
                char *const *job_ids, size_t n_rejected, char *const *errors, bool batch, usec_t now) {
        size_t n = strv_length(job_ids);
        _cleanup_free_ char *message = NULL, *text = strv_join(errors, "; ");

        if (!batch && n > 0)
                message = strdup("job submitted successfully");
        else if (n_rejected == 0)
                message = strprintf("%zu jobs submitted successfully", n);
        else
                message = strprintf("%zu jobs submitted, %zu rejected", n, n_rejected);
        if (!message || !text)
                return NULL;

        _cleanup_json_ json_t *answer = json_pack("{s:o, s:o, s:i, s:i, s:o, s:s, s:o}", "job_id",
                        json_text(n > 0 ? job_ids[0] : NULL), "job_ids", hypersdk_strings_json(job_ids),
                        "accepted", (int) n, "rejected", (int) n_rejected, "errors",
                        hypersdk_strings_json(errors), "message", message, "timestamp", json_time(now));
        /* Nothing accepted is an error, and errors have "error" in this API. */
        if (!answer || (n == 0 && json_object_set_new(answer, "error", json_text(text)) < 0))
                return NULL;
        return TAKE_PTR(answer);
}

json_t *hypersdk_cancelled_json(
                char *const *cancelled, char *const *failed, json_t *errors, uint64_t n_left, usec_t now) {
        size_t n = strv_length(cancelled);
        _cleanup_free_ char *message = NULL;

        if (n_left > 0)
                message = strprintf("%zu jobs cancelled, %" PRIu64 " more match: ask again for these", n,
                                n_left);
        else
                message = strdup(n > 0 && !failed       ? "jobs cancelled successfully"
                                                : n > 0 ? "some jobs cancelled, some not"
                                                        : "no job was cancelled");
        if (!message)
                return NULL;
        /* "errors" is a map here: that is what the clients that read it decode it into. */
        return json_pack("{s:s, s:i, s:o, s:o, s:O, s:o}", "message", message, "count", (int) n, "cancelled",
                        hypersdk_strings_json(cancelled), "failed", hypersdk_strings_json(failed), "errors",
                        errors, "timestamp", json_time(now));
}
