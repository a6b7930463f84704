/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What clients read: rows and events in, the JSON of each dialect out. */

#include "api/hypersdk/hypersdk-decode.h"
#include "api/hypersdk/hypersdk-json.h"
#include "api/hypersdk/hypersdk-quirks.h"
#include "api/hypersdk/hypersdk-vms.h"
#include "api/job-json.h"
#include "api/v1/v1-json.h"
#include "api/worker/worker-decode.h"
#include "api/worker/worker-json.h"
#include "store/jobs-list.h"
#include "store/jobs.h"
#include "unit/lib/test.h"

#define T0 (1769853600 * USEC_PER_SEC) /* 2026-01-31T10:00:00Z */

#define SPEC                                                                                              \
        "{\"job_id\":\"job-1\",\"operation\":\"convert\",\"source\":{\"type\":\"file\",\"path\":\"/data/" \
        "vm.vmdk\","                                                                                      \
        "\"format\":\"vmdk\"},\"destination\":{\"type\":\"file\",\"path\":\"/out/"                        \
        "vm.qcow2\",\"format\":\"qcow2\"},"                                                               \
        "\"parameters\":{\"compress\":true,\"verify\":false},\"execution_policy\":{\"priority\":50}}"

/* 45.9 % of a conversion, 1 GiB of 2 GiB, 100 MiB/s. Tests change what they are about. */
static JobRow running_row(void) {
        return (JobRow){
                .seq = 1,
                .id = (char *) "job-1",
                .operation = (char *) "convert",
                .spec = (char *) SPEC,
                .dialect = (char *) "bus",
                .state = JOB_RUNNING,
                .reason = (char *) "The unit has started.",
                .priority = 50,
                .attempt = 1,
                .retry_count = 3,
                .created_at = T0,
                .updated_at = T0 + 90 * USEC_PER_SEC,
                .started_at = T0 + 65 * USEC_PER_SEC,
                .phase = PHASE_CONVERSION,
                .percent = 45.9,
                .bytes_done = 1073741824,
                .bytes_total = 2147483648,
                .rate = 104857600,
        };
}

static JobRow ended_row(JobState state, const char *result) {
        JobRow row = running_row();

        row.state = state;
        row.finished_at = row.updated_at = T0 + 125 * USEC_PER_SEC;
        row.result = (char *) result;
        row.phase = PHASE_FINALIZATION;
        return row;
}

#define RESULT                                                                                        \
        "{\"outputs\":[{\"path\":\"/out/vm.qcow2\",\"format\":\"qcow2\",\"virtual_size\":2147483648," \
        "\"actual_size\":700}],\"metrics\":{\"bytes_read\":5},\"error\":null}"
#define RESULT_FAILED                                                                                   \
        "{\"outputs\":null,\"metrics\":null,\"error\":{\"phase\":\"conversion\",\"code\":\"no_space\"," \
        "\"message\":\"The disk is full.\"}}"

static void assert_member(const json_t *object, const char *path, const char *wanted) {
        const json_t *value = json_path_get(object, path);
        _cleanup_free_ char *text = value
                        ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS)
                        : strdup("(nothing)");

        ck_assert_msg(streq(text, wanted), "%s is %s, not %s", path, text, wanted);
}

START_TEST(worker_clients_see_a_running_job) {
        JobRow row = running_row();
        const JobStateRow states[] = { { JOB_CREATED, T0, (char *) "Job submitted via REST API" },
                { JOB_RUNNING, T0 + 65 * USEC_PER_SEC + 250000, NULL } };
        _cleanup_json_ json_t *job = worker_job_json(&row, states, ELEMENTSOF(states));

        assert_member(job, "job_id", "\"job-1\"");
        assert_member(job, "state", "\"RUNNING\"");
        assert_member(job, "state_history",
                        "[{\"reason\":\"Job submitted via REST API\",\"state\":\"CREATED\",\"timestamp\":"
                        "\"2026-01-31T10:00:00Z\"},{\"reason\":\"\",\"state\":\"RUNNING\",\"timestamp\":"
                        "\"2026-01-31T10:01:05.250000Z\"}]");
        assert_member(job, "result", "null");
        assert_member(job, "is_terminal", "false");
        assert_member(job, "created_at", "\"2026-01-31T10:00:00Z\"");
        assert_member(job, "updated_at", "\"2026-01-31T10:01:30Z\"");
        assert_member(job, "completed_at", "null");
        assert_member(job, "worker_id", "null");
        assert_member(job, "latest_event",
                        "{\"details\":{\"bytes_per_second\":\"104857600\",\"bytes_processed\":"
                        "\"1073741824\","
                        "\"total_bytes\":\"2147483648\"},\"job_id\":\"job-1\",\"message\":\"Converting disk "
                        "format: "
                        "45% complete\",\"percentage\":45,\"phase\":\"conversion\",\"progress_percent\":45,"
                        "\"timestamp\":\"2026-01-31T10:01:30Z\"}");
}
END_TEST

START_TEST(worker_clients_see_how_a_job_ended) {
        JobRow row = ended_row(JOB_COMPLETED, RESULT);
        _cleanup_json_ json_t *completed = worker_job_json(&row, NULL, 0);
        row = ended_row(JOB_FAILED, RESULT_FAILED);
        _cleanup_json_ json_t *failed = worker_job_json(&row, NULL, 0);
        row = ended_row(JOB_FAILED, NULL);
        row.reason = (char *) "The unit was killed.";
        _cleanup_json_ json_t *killed = worker_job_json(&row, NULL, 0);
        row = ended_row(JOB_CANCELLED, NULL);
        _cleanup_json_ json_t *cancelled = worker_job_json(&row, NULL, 0);

        assert_member(completed, "result.status", "\"completed\"");
        assert_member(completed, "result.metrics.bytes_read", "5");
        assert_member(completed, "result.error", "null");
        assert_member(completed, "latest_event.percentage", "100");
        assert_member(completed, "state_history", "[]");
        assert_member(failed, "result.status", "\"failed\"");
        assert_member(failed, "result.outputs", "[]");
        assert_member(failed, "result.error.code", "\"no_space\"");
        assert_member(killed, "result.error.message", "\"The unit was killed.\"");
        assert_member(cancelled, "result",
                        "{\"error\":null,\"metrics\":{},\"outputs\":[],\"status\":\"cancelled\"}");
        assert_member(cancelled, "is_terminal", "true");
}
END_TEST

START_TEST(worker_lists_and_submissions_are_short) {
        JobRow row = running_row();
        _cleanup_json_ json_t *entry = worker_summary_json(&row, T0), *expected = NULL, *queued = NULL,
                              *again = worker_submitted_json(row.id, row.state, false, 0);

        row.state = JOB_QUEUED;
        queued = worker_submitted_json(row.id, row.state, true, 5);
        expected = json_loads("{\"created_at\":\"2026-01-31T10:00:00Z\",\"is_terminal\":false,"
                              "\"job_id\":\"job-1\",\"operation\":\"convert\",\"percentage\":45,"
                              "\"state\":\"RUNNING\",\"updated_at\":\"2026-01-31T10:01:30Z\"}",
                        0, NULL);
        ck_assert(json_equal(entry, expected));
        assert_member(queued, "state", "\"QUEUED\"");
        assert_member(queued, "message", "\"Job queued successfully\"");
        assert_member(queued, "queue_position", "5");
        assert_member(again, "queue_position", "null");
}
END_TEST

START_TEST(worker_events_are_as_published) {
        JobEvent state = JOB_EVENT_INIT(EVENT_STATE), progress = JOB_EVENT_INIT(EVENT_PROGRESS),
                 note = JOB_EVENT_INIT(EVENT_NOTE);
        JobEvent *events[] = { &state, &progress, &note };

        state.job_id = progress.job_id = note.job_id = (char *) "job-1";
        state.state = JOB_RETRYING;
        state.message = (char *) "The server hung up.";
        state.realtime = T0;
        progress.phase = note.phase = PHASE_CONVERSION;
        progress.percent = 25.7;
        progress.bytes_done = 536870912;
        progress.bytes_total = 2147483648;
        progress.message = (char *) "Converting disk format: 25% complete";
        progress.realtime = note.realtime = T0 + 1;
        note.details = json_pack("{s:i, s:s, s:[i, i]}", "attempt", 2, "host", "h", "list", 1, 2);
        note.message = (char *) "a \xff b";

        unsigned percent = 0;
        _cleanup_json_ json_t *list = worker_events_json(events, ELEMENTSOF(events), &percent),
                              *none = worker_events_json(NULL, 0, &percent);
        ck_assert_uint_eq(json_array_size(list), 3);
        assert_member(json_array_get(list, 0), "phase", "\"retrying\"");
        assert_member(json_array_get(list, 0), "percentage", "0");
        assert_member(json_array_get(list, 0), "details", "{\"state\":\"RETRYING\"}");
        assert_member(json_array_get(list, 1), "phase", "\"conversion\"");
        assert_member(json_array_get(list, 1), "percentage", "25");
        assert_member(json_array_get(list, 1), "progress_percent", "25");
        assert_member(json_array_get(list, 1), "timestamp", "\"2026-01-31T10:00:00.000001Z\"");
        assert_member(json_array_get(list, 1), "details",
                        "{\"bytes_processed\":\"536870912\",\"total_bytes\":\"2147483648\"}");
        /* It knows no percentage, and does not make the bar jump back. */
        assert_member(json_array_get(list, 2), "percentage", "25");
        assert_member(json_array_get(list, 2), "details",
                        "{\"attempt\":\"2\",\"host\":\"h\",\"list\":\"[1,2]\"}");
        assert_member(json_array_get(list, 2), "message", "\"a ? b\"");
        ck_assert(json_is_array(none));
        ck_assert_uint_eq(json_array_size(none), 0);
        json_decref(note.details);
}
END_TEST

START_TEST(hypersdk_clients_see_a_running_job) {
        JobRow row = running_row();
        _cleanup_json_ json_t *job = hypersdk_job_json(&row), *progress = hypersdk_progress_json(&row),
                              *eta = hypersdk_eta_json(&row, T0 + 100 * USEC_PER_SEC);
        static const char *const fields[] = { "definition", "status", "progress", "result", "error",
                "started_at", "completed_at", "updated_at" };

        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                ck_assert_msg(json_object_get(job, fields[i]), "%s is missing", fields[i]);
        assert_member(job, "definition.id", "\"job-1\"");
        assert_member(job, "definition.vm_path", "\"/data/vm.vmdk\"");
        assert_member(job, "status", "\"running\"");
        assert_member(job, "result", "null");
        assert_member(job, "error", "null");
        assert_member(job, "completed_at", "null");
        assert_member(job, "started_at", "\"2026-01-31T10:01:05Z\"");
        assert_member(job, "progress",
                        "{\"bytes_downloaded\":1073741824,\"bytes_per_second\":104857600,\"bytes_"
                        "transferred\":"
                        "1073741824,\"current_bytes\":1073741824,\"current_step\":\"conversion\","
                        "\"estimated_remaining\":\"11s\",\"percent_complete\":45,\"phase\":\"conversion\","
                        "\"stage\":"
                        "\"conversion\",\"total_bytes\":2147483648}");
        assert_member(progress, "percent_complete", "45");
        assert_member(progress, "progress.percent_complete", "45");
        assert_member(progress, "job_id", "\"job-1\"");
        assert_member(eta, "estimated_remaining", "11");
        assert_member(eta, "eta", "\"2026-01-31T10:01:51Z\"");
        assert_member(eta, "elapsed", "35");
}
END_TEST

START_TEST(hypersdk_clients_see_how_a_job_ended) {
        JobRow row = ended_row(JOB_COMPLETED, RESULT);
        _cleanup_json_ json_t *completed = hypersdk_job_json(&row),
                              *eta = hypersdk_eta_json(&row, T0 + 999 * USEC_PER_SEC);
        row = ended_row(JOB_FAILED, RESULT_FAILED);
        _cleanup_json_ json_t *failed = hypersdk_job_json(&row);
        row = ended_row(JOB_CANCELLED, "this is no JSON");
        _cleanup_json_ json_t *cancelled = hypersdk_job_json(&row);

        assert_member(completed, "status", "\"completed\"");
        assert_member(completed, "progress.percent_complete", "100");
        assert_member(completed, "progress.stage", "\"completed\"");
        assert_member(completed, "progress.estimated_remaining", "\"0s\"");
        assert_member(completed, "result.success", "true");
        assert_member(completed, "result.vm_name", "\"vm\"");
        assert_member(completed, "result.output_dir", "\"/out\"");
        assert_member(completed, "result.ovf_path", "\"\"");
        assert_member(failed, "result.output_dir", "\"/out\"");
        assert_member(failed, "result.ovf_path", "\"\"");
        assert_member(cancelled, "result.vm_name", "\"vm\"");
        assert_member(completed, "result.output_path", "\"/out/vm.qcow2\"");
        assert_member(completed, "result.files", "[\"/out/vm.qcow2\"]");
        assert_member(completed, "result.total_size", "700");
        assert_member(completed, "result.duration", "60");
        assert_member(completed, "error", "null");
        assert_member(completed, "completed_at", "\"2026-01-31T10:02:05Z\"");
        assert_member(eta, "eta", "\"2026-01-31T10:02:05Z\"");
        assert_member(failed, "status", "\"failed\"");
        assert_member(failed, "error", "\"The disk is full.\"");
        assert_member(failed, "result.error", "\"The disk is full.\"");
        assert_member(failed, "result.files", "[]");
        assert_member(cancelled, "status", "\"cancelled\"");
        assert_member(cancelled, "error", "null");
        assert_member(cancelled, "result.outputs", "[]");
}
END_TEST

START_TEST(each_state_has_its_hypersdk_status_and_back) {
        static const char *const names[_JOB_STATE_MAX] = {
                [JOB_CREATED] = "pending",
                [JOB_VALIDATED] = "pending",
                [JOB_QUEUED] = "pending",
                [JOB_ASSIGNED] = "pending",
                [JOB_RETRYING] = "pending",
                [JOB_RUNNING] = "running",
                [JOB_COMPLETED] = "completed",
                [JOB_FAILED] = "failed",
                [JOB_CANCELLED] = "cancelled",
        };

        for (JobState s = 0; s < _JOB_STATE_MAX; s++) {
                ck_assert_str_eq(job_state_to_status(s), names[s]);
                ck_assert_uint_ne(hypersdk_status_to_states(names[s]) & 1u << s, 0);
        }
        ck_assert_uint_eq(hypersdk_status_to_states("canceled"), 1u << JOB_CANCELLED);
        ck_assert_uint_eq(hypersdk_status_to_states("RUNNING"), 1u << JOB_RUNNING);
        ck_assert_uint_eq(hypersdk_status_to_states("Queued"), hypersdk_status_to_states("pending"));
        ck_assert_uint_eq(hypersdk_status_to_states(""), 0);
}
END_TEST

START_TEST(a_client_sees_its_own_words_again) {
        JobRow row = running_row();
        _cleanup_json_ json_t *job = NULL, *other = NULL;

        row.dialect = (char *) "hypersdk";
        row.request = (char *) "{\"vm_path\":\"/data/vm.vmdk\",\"output_dir\":\"/out\",\"colour\":\"blue\","
                               "\"source\":{\"password\":\"***\"}}";
        job = hypersdk_job_json(&row);
        assert_member(job, "definition",
                        "{\"colour\":\"blue\",\"created_at\":\"2026-01-31T10:00:00Z\",\"id\":\"job-1\","
                        "\"output_dir\":\"/out\",\"source\":{\"password\":"
                        "\"***\"},\"vm_path\":\"/data/vm.vmdk\"}");
        other = worker_job_json(&row, NULL, 0);
        assert_member(other, "spec",
                        "{\"artifacts\":{\"output_path\":\"/out/"
                        "vm.qcow2\"},\"execution_policy\":{\"priority\":50},"
                        "\"image\":{\"format\":\"vmdk\",\"path\":\"/data/vm.vmdk\"},\"job_id\":\"job-1\","
                        "\"operation\":\"convert\",\"parameters\":{\"compress\":true,\"output_format\":"
                        "\"qcow2\","
                        "\"output_path\":\"/out/vm.qcow2\",\"verify\":false}}");
}
END_TEST

START_TEST(durations_are_text) {
        static const struct {
                uint64_t seconds;
                const char *text;
        } durations[] = { { 0, "0s" }, { 21, "21s" }, { 60, "1m0s" }, { 125, "2m5s" }, { 3600, "1h0m0s" },
                { 90061, "25h1m1s" } };

        for (size_t i = 0; i < ELEMENTSOF(durations); i++) {
                _cleanup_json_ json_t *text = hypersdk_duration_json(durations[i].seconds);

                ck_assert_str_eq(json_string_value(text), durations[i].text);
        }
}
END_TEST

START_TEST(a_definition_fits_the_types_of_all_clients) {
        JobRow row = running_row();
        _cleanup_json_ json_t *job = NULL, *from_nbd = NULL;

        row.dialect = (char *) "hypersdk";
        row.request = (char *) "{\"name\":7,\"format\":\"QCOW2\",\"export_method\":null,\"compress\":"
                               "\"yes\","
                               "\"created_at\":\"2026-01-17T10:30:00\",\"vcenter\":\"v\",\"thin\":true,"
                               "\"options\":{\"parallel_downloads\":\"4\",\"compress_level\":6,\"verify\":"
                               "true}}";
        job = hypersdk_job_json(&row);
        assert_member(job, "definition",
                        "{\"created_at\":\"2026-01-31T10:00:00Z\",\"format\":\"qcow2\",\"id\":\"job-1\","
                        "\"options\":{\"compress_level\":6,\"verify\":true},\"thin\":true,"
                        "\"vm_path\":\"/data/vm.vmdk\"}");

        row.dialect = (char *) "bus";
        row.request = NULL;
        row.spec = (char *) "{\"source\":{\"type\":\"nbd\",\"uri\":\"nbd://anna@h/x\"}}";
        row.state = JOB_FAILED;
        from_nbd = hypersdk_job_json(&row);
        assert_member(from_nbd, "definition.vm_path", "\"nbd://***@h/x\"");
        assert_member(from_nbd, "result.vm_name", "\"\"");
        assert_member(from_nbd, "result.output_dir", "\"\"");
}
END_TEST

START_TEST(quirks_are_recognised_by_who_asks) {
        _cleanup_json_ json_t *sdk = json_pack("{s:i}", "run_count", 0), *other = json_object();

        ck_assert_uint_eq(hypersdk_submit_status(SUBMIT_STATUS_AUTO, "Go-http-client/1.1"), 200);
        ck_assert_uint_eq(hypersdk_submit_status(SUBMIT_STATUS_AUTO, "curl/8 Go-http-client/1.1"), 201);
        ck_assert_uint_eq(hypersdk_submit_status(SUBMIT_STATUS_AUTO, NULL), 201);
        ck_assert_uint_eq(hypersdk_submit_status(SUBMIT_STATUS_200, "curl/8"), 200);
        ck_assert_uint_eq(hypersdk_submit_status(SUBMIT_STATUS_201, "Go-http-client/1.1"), 201);
        ck_assert(hypersdk_quirk_applies(QUIRK_SCHEDULE_IS_TEXT, "python-requests/2.31.0", sdk));
        ck_assert(!hypersdk_quirk_applies(QUIRK_SCHEDULE_IS_TEXT, "python-requests/2.31.0", other));
        ck_assert(!hypersdk_quirk_applies(QUIRK_SCHEDULE_IS_TEXT, "curl/8", sdk));
        ck_assert(!hypersdk_quirk_applies(QUIRK_SCHEDULE_IS_TEXT, NULL, sdk));
}
END_TEST

START_TEST(a_user_in_a_url_is_not_told_to_the_other_dialect) {
        JobRow row = running_row();
        _cleanup_json_ json_t *job = NULL, *other = NULL;

        row.spec = (char *) "{\"source\":{\"type\":\"nbd\",\"uri\":\"nbds://anna@h/x\"},"
                            "\"destination\":{\"type\":\"file\",\"path\":\"/out/x\"}}";
        job = worker_job_json(&row, NULL, 0);
        other = hypersdk_job_json(&row);
        assert_member(job, "spec.image.path", "\"nbds://***@h/x\"");
        assert_member(other, "definition.vm_path", "\"nbds://***@h/x\"");
}
END_TEST

START_TEST(what_cannot_be_known_is_null) {
        JobRow row = running_row();
        uint64_t seconds = 7;

        row.rate = 0;
        ck_assert(!job_row_remaining(&row, &seconds));
        row = running_row();
        row.bytes_done = row.bytes_total + 1;
        ck_assert(!job_row_remaining(&row, &seconds));
        row = running_row();
        row.state = JOB_QUEUED;
        ck_assert(!job_row_remaining(&row, &seconds));
        row.percent = -1;
        ck_assert_uint_eq(job_row_percent(&row), 0);
        row.percent = 100; /* all bytes are moved, but it is not done */
        ck_assert_uint_eq(job_row_percent(&row), 99);

        row.phase = _PHASE_INVALID;
        row.started_at = 0;
        _cleanup_json_ json_t *job = hypersdk_job_json(&row), *eta = hypersdk_eta_json(&row, T0);
        assert_member(job, "progress.stage", "\"pending\"");
        assert_member(job, "progress.estimated_remaining", "null");
        assert_member(job, "started_at", "null");
        assert_member(eta, "eta", "null");
        assert_member(eta, "estimated_remaining", "null");
        assert_member(eta, "elapsed", "0");

        /* The largest numbers do not become negative ones. */
        row = running_row();
        row.bytes_total = UINT64_MAX;
        row.rate = 1;
        _cleanup_json_ json_t *huge = hypersdk_job_json(&row), *late = hypersdk_eta_json(&row, T0);
        assert_member(huge, "progress.total_bytes", "9223372036854775807");
        assert_member(late, "eta", "null");
}
END_TEST

START_TEST(status_counts_add_up) {
        uint64_t counts[_JOB_STATE_MAX] = { [JOB_QUEUED] = 2,
                [JOB_RETRYING] = 1,
                [JOB_RUNNING] = 3,
                [JOB_COMPLETED] = 35,
                [JOB_FAILED] = 4,
                [JOB_CANCELLED] = 5 };
        _cleanup_json_ json_t *status = hypersdk_status_json(counts, 10, 7384 * USEC_PER_SEC, T0);

        assert_member(status, "total_jobs", "50");
        assert_member(status, "running_jobs", "3");
        assert_member(status, "completed_jobs", "35");
        assert_member(status, "failed_jobs", "4");
        assert_member(status, "cancelled_jobs", "5");
        assert_member(status, "pending_jobs", "3");
        assert_member(status, "worker_count", "10");
        assert_member(status, "active_workers", "3");
        assert_member(status, "uptime", "\"2h3m4s\"");
        assert_member(status, "version", "\"" PACKAGE_VERSION "\"");
}
END_TEST

START_TEST(capabilities_are_those_of_the_programs_found) {
        HypersdkTool tools[] = { { "qemu-img", "/usr/bin/qemu-img", true },
                { "qemu-nbd", "/usr/bin/qemu-nbd", true }, { "nbdkit", NULL, false } };
        _cleanup_json_ json_t *all = hypersdk_capabilities_json(tools, ELEMENTSOF(tools), T0), *less = NULL;

        tools[1].path = NULL;
        less = hypersdk_capabilities_json(tools, ELEMENTSOF(tools), T0);
        assert_member(all, "source_types", "[\"file\",\"nbd\",\"vsphere\"]");
        assert_member(all, "source_formats",
                        "[\"raw\",\"qcow2\",\"vmdk\",\"vdi\",\"vhd\",\"vhdx\",\"parallels\",\"ova\","
                        "\"ovf\"]");
        assert_member(all, "destination_formats", "[\"raw\",\"qcow2\",\"vmdk\",\"ova\",\"ovf\"]");
        assert_member(all, "operations",
                        "[\"convert\",\"inspect\",\"offline_fix\",\"boot_repair\",\"selinux_prep\","
                        "\"lvm_repair\",\"fs_repair\",\"initramfs_regenerate\"]");
        assert_member(all, "tools.qemu-img", "\"/usr/bin/qemu-img\"");
        assert_member(all, "tools.nbdkit", "null");
        assert_member(all, "missing_tools", "[]");
        assert_member(all, "default_method", "\"qemu-nbd\"");
        assert_member(all, "capabilities.qemu-nbd.available", "true");
        assert_member(all, "capabilities.qemu-nbd.path", "\"/usr/bin/qemu-nbd\"");
        assert_member(less, "default_method", "\"nbd\"");
        assert_member(less, "capabilities.qemu-nbd.available", "false");
        assert_member(less, "capabilities.qemu-nbd.path", "\"\"");
        assert_member(less, "source_types", "[\"nbd\",\"vsphere\"]");
        assert_member(less, "source_formats", "[]");
        assert_member(less, "missing_tools", "[\"qemu-nbd\"]");
}
END_TEST

START_TEST(submissions_and_cancels_say_what_became_of_each) {
        char *two[] = { (char *) "a", (char *) "b", NULL },
             *why[] = { (char *) "jobs[1]: vm_path: no", NULL };
        _cleanup_json_ json_t *one = NULL, *some = hypersdk_submitted_json(two, 1, why, true, T0),
                              *none = hypersdk_submitted_json(NULL, 1, why, true, T0);

        two[1] = NULL;
        one = hypersdk_submitted_json(two, 0, NULL, false, T0);
        assert_member(one, "job_id", "\"a\"");
        assert_member(one, "job_ids", "[\"a\"]");
        assert_member(one, "message", "\"job submitted successfully\"");
        assert_member(one, "errors", "[]");
        assert_member(one, "error", "(nothing)");
        assert_member(some, "accepted", "2");
        assert_member(some, "rejected", "1");
        assert_member(some, "errors", "[\"jobs[1]: vm_path: no\"]");
        assert_member(none, "job_id", "null");
        assert_member(none, "error", "\"jobs[1]: vm_path: no\"");

        _cleanup_json_ json_t *errors = json_pack("{s:s}", "b", "There is no such job."),
                              *no_errors = json_object(),
                              *cancelled = hypersdk_cancelled_json(two, NULL, no_errors, 0, T0),
                              *failed = hypersdk_cancelled_json(NULL, two, errors, 0, T0),
                              *more = hypersdk_cancelled_json(two, NULL, no_errors, 5, T0);
        assert_member(cancelled, "message", "\"jobs cancelled successfully\"");
        assert_member(cancelled, "count", "1");
        assert_member(cancelled, "cancelled", "[\"a\"]");
        assert_member(cancelled, "failed", "[]");
        assert_member(cancelled, "errors", "{}");
        assert_member(failed, "count", "0");
        assert_member(failed, "errors", "{\"b\":\"There is no such job.\"}");
        assert_member(more, "message", "\"1 jobs cancelled, 5 more match: ask again for these\"");
}
END_TEST

/* --- queries and cancels, read --------------------------------------------------------------------- */

static int decode_query(const char *text, HypersdkSelection *ret, char **ret_error) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *body = json_loads(text, JSON_DECODE_ANY, NULL);
        int r;

        ck_assert_msg(body, "%s", text);
        r = hypersdk_query_decode(body, ret, &errors);
        *ret_error = json_errors_text(&errors);
        return r;
}

START_TEST(queries_select_by_id_and_status) {
        _cleanup_(hypersdk_selection_done) HypersdkSelection s = {}, all = {}, published = {};
        _cleanup_free_ char *e1 = NULL, *e2 = NULL, *e3 = NULL;

        ck_assert_int_eq(decode_query("{\"job_ids\":[\"a\",\"b\"],\"status\":[\"pending\",\"running\"],"
                                      "\"limit\":5,"
                                      "\"offset\":10}",
                                         &s, &e1),
                        0);
        ck_assert_uint_eq(strv_length(s.ids), 2);
        ck_assert_uint_eq(s.states, hypersdk_status_to_states("pending") | 1u << JOB_RUNNING);
        ck_assert_uint_eq(s.limit, 5);
        ck_assert_uint_eq(s.offset, 10);
        ck_assert_int_eq(decode_query("{}", &all, &e2), 0);
        ck_assert_ptr_null(all.ids);
        ck_assert_uint_eq(all.states, 0);
        ck_assert_int_eq(decode_query("{\"all\":true,\"status\":\"running\",\"limit\":10}", &published, &e3),
                        0);
        ck_assert(published.all);
        ck_assert_uint_eq(published.states, 1u << JOB_RUNNING);
}
END_TEST

START_TEST(bad_queries_name_their_fields) {
        static const char *const bad[][2] = { { "{\"status\":\"flying\"}", "status: must be" },
                { "{\"status\":[1]}", "status: must be" }, { "{\"status\":{}}", "status: must be" },
                { "{\"limit\":1001}", "limit: must be 0 to 1000" },
                { "{\"limit\":\"5\"}", "limit: must be" }, { "{\"offset\":-1}", "offset: must be" },
                { "{\"all\":1}", "all: must be true or false" },
                { "{\"job_ids\":\"a\"}", "job_ids: must be a list of strings" },
                { "{\"job_ids\":[1]}", "job_ids: must be a list of strings" },
                { "[]", "body: must be an object" } };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_free_ char *error = NULL;
                HypersdkSelection s = {};

                ck_assert_msg(decode_query(bad[i][0], &s, &error) == -EBADMSG, "%s was taken", bad[i][0]);
                ck_assert_msg(startswith(error, bad[i][1]), "%s: %s", bad[i][0], error);
        }

        _cleanup_free_ char *both = NULL;
        HypersdkSelection s = {};
        ck_assert_int_eq(decode_query("{\"all\":1,\"status\":7}", &s, &both), -EBADMSG);
        ck_assert_ptr_nonnull(strstr(both, "all: "));
        ck_assert_ptr_nonnull(strstr(both, "status: "));
}
END_TEST

START_TEST(a_cancel_must_say_what) {
        static const char *const texts[] = { "{\"job_ids\":[\"a\"],\"status\":\"running\"}",
                "{\"id\":\"a\"}", "{\"job_id\":\"a\"}", "{\"status\":\"pending\"}" };
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *nothing = json_object();
        HypersdkSelection none = {};

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_(hypersdk_selection_done) HypersdkSelection s = {};
                _cleanup_(json_errors_done) JsonErrors no = {};
                _cleanup_json_ json_t *body = json_loads(texts[i], 0, NULL);

                ck_assert_int_eq(hypersdk_cancel_decode(body, &s, &no), 0);
                ck_assert(strv_contains(s.ids, "a") || s.states > 0);
        }
        ck_assert_int_eq(hypersdk_cancel_decode(nothing, &none, &errors), -EBADMSG);
        ck_assert_str_eq(errors.errors[0].field, "job_ids");
        ck_assert(startswith(errors.errors[0].text, "must be given"));

        _cleanup_(json_errors_done) JsonErrors again = {};
        _cleanup_json_ json_t *empty = json_pack("{s:[]}", "job_ids");
        ck_assert_int_eq(hypersdk_cancel_decode(empty, &none, &again), -EBADMSG);
}
END_TEST

START_TEST(a_submission_is_one_job_or_many) {
        static const struct {
                const char *text;
                size_t n; /* 0: refused */
                bool batch;
        } cases[] = { { "{\"vm_path\":\"/a\"}", 1, false }, { "[{},{}]", 2, true },
                { "{\"jobs\":[{}]}", 1, true }, { "[]", 0 }, { "{\"jobs\":[]}", 0 }, { "{\"jobs\":{}}", 0 },
                { "5", 0 }, { "null", 0 } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(json_errors_done) JsonErrors errors = {};
                _cleanup_json_ json_t *body = json_loads(cases[i].text, JSON_DECODE_ANY, NULL), *list = NULL;
                bool batch = false;
                int r = hypersdk_submit_decode(body, &list, &batch, &errors);

                ck_assert_msg(r == (cases[i].n > 0 ? 0 : -EBADMSG), "%s: %d", cases[i].text, r);
                ck_assert_uint_eq(json_array_size(list), cases[i].n);
                ck_assert_uint_eq(errors.n_errors, cases[i].n == 0);
                ck_assert(batch == cases[i].batch);
        }
}
END_TEST

START_TEST(a_report_says_whose_it_is) {
        static const struct {
                const char *text, *worker;
        } cases[] = {
                { "{\"worker_id\":\"w\"}", "w" },
                { "[{\"worker_id\":\"w\"},{\"percentage\":1}]", "w" },
                { "[{},{\"worker_id\":\"w\"},{\"worker_id\":\"w\"}]", "w" },
                { "[{\"worker_id\":\"w\"},{\"worker_id\":\"x\"}]", NULL },
                { "{\"worker_id\":7}", NULL },
                { "{}", NULL },
                { "[]", NULL },
                { "[7,\"w\"]", NULL },
                { "\"w\"", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_t *report = json_loads(cases[i].text, JSON_DECODE_ANY, NULL);
                const char *why = NULL, *worker = worker_id_of_report(report, &why);

                ck_assert_msg(streq_ptr(worker, cases[i].worker), "%s", cases[i].text);
                ck_assert(worker || startswith(why, "worker_id: "));
        }
}
END_TEST

START_TEST(basic_credentials_are_user_and_password) {
        static const char *const bad[] = { "Basic", "Basic !", "Basic YQ", "Basic YQ==" /* no colon */,
                "Basic OgA=" /* a NUL */, "Basic Ov8=" /* no UTF-8 */, "Basic YTpi=" };
        char *text;

        ck_assert_int_eq(hypersdk_basic_decode("Basic YTpi", &text), 0);
        ck_assert_str_eq(text, "a:b");
        free(text);
        ck_assert_int_eq(hypersdk_basic_decode("basic  YWRtaW46cMOkOnNz", &text), 0);
        ck_assert_str_eq(text, "admin:p\xc3\xa4:ss");
        free(text);
        ck_assert_int_eq(hypersdk_basic_decode("Bearer YTpi", &text), -ENOENT);
        ck_assert_int_eq(hypersdk_basic_decode(bad[0], &text), -ENOENT);
        for (size_t i = 1; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(hypersdk_basic_decode(bad[i], &text) == -EBADMSG, "%s", bad[i]);
}
END_TEST

START_TEST(errors_of_v1_name_each_field) {
        static const struct {
                unsigned status;
                const char *message, *error, *errors;
        } cases[] = {
                { 400, "source.path: is missing\npriority: must be 0 to 100",
                                "source.path: is missing; priority: must be 0 to 100",
                                "[{\"field\":\"source.path\",\"message\":\"is missing\"},"
                                "{\"field\":\"priority\",\"message\":\"must be 0 to 100\"}]" },
                { 400, "limit: must be 1 to 200", "limit: must be 1 to 200",
                                "[{\"field\":\"limit\",\"message\":\"must be 1 to 200\"}]" },
                { 400, "The body is not JSON.", "The body is not JSON.", NULL },
                { 400, "a: b\nThe body is not JSON.", "a: b; The body is not JSON.", NULL },
                { 400, "", "", NULL },
                { 404, "job: there is none", "job: there is none", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_t *e = v1_error_json(cases[i].status, cases[i].message, T0);
                json_t *errors = json_object_get(e, "errors");
                _cleanup_free_ char *text = errors ? json_dumps(errors, JSON_COMPACT) : NULL;

                ck_assert_str_eq(json_string_value(json_object_get(e, "error")), cases[i].error);
                ck_assert_int_eq(json_integer_value(json_object_get(e, "status")), (int) cases[i].status);
                ck_assert_str_eq(json_string_value(json_object_get(e, "timestamp")), "2026-01-31T10:00:00Z");
                ck_assert_pstr_eq(text, cases[i].errors);
        }
}
END_TEST

TEST_MAIN("dialect-json", basic_credentials_are_user_and_password, a_report_says_whose_it_is,
                worker_clients_see_a_running_job, worker_clients_see_how_a_job_ended,
                worker_lists_and_submissions_are_short, worker_events_are_as_published,
                hypersdk_clients_see_a_running_job, hypersdk_clients_see_how_a_job_ended,
                each_state_has_its_hypersdk_status_and_back, a_client_sees_its_own_words_again,
                a_user_in_a_url_is_not_told_to_the_other_dialect, durations_are_text,
                a_definition_fits_the_types_of_all_clients, quirks_are_recognised_by_who_asks,
                what_cannot_be_known_is_null, status_counts_add_up,
                capabilities_are_those_of_the_programs_found,
                submissions_and_cancels_say_what_became_of_each, queries_select_by_id_and_status,
                bad_queries_name_their_fields, a_cancel_must_say_what, a_submission_is_one_job_or_many,
                errors_of_v1_name_each_field)
