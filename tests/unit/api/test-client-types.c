/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Typed clients drop a whole list when one field of one job has a type that is not theirs. Here every way
 * to write a job, in each dialect, in each state, is read by strict decoders: the types that the published
 * clients declare. And each field that carries a state has to have a word of its dialect. */

#include <ctype.h>

#include "api/hosts/hosts-json.h"
#include "api/hypersdk/hypersdk-dashboard.h"
#include "api/hypersdk/hypersdk-decode.h"
#include "api/hypersdk/hypersdk-json.h"
#include "api/hypersdk/hypersdk-manifest.h"
#include "api/hypersdk/hypersdk-schedule-json.h"
#include "api/job-json.h"
#include "api/worker/worker-json.h"
#include "dialect/worker-job.h"
#include "store/jobs-list.h"
#include "store/jobs.h"
#include "unit/lib/test.h"

#define T0 (1769853600 * USEC_PER_SEC) /* 2026-01-31T10:00:00Z */

/* --- strict decoders ------------------------------------------------------------------------------- */

typedef enum Type {
        TEXT,
        BOOLEAN,
        INTEGER,
        NUMBER,
        TIME,
        OBJECT,
        TEXTS,
        WORD, /* one of @words */
} Type;

enum {
        MUST = 1 << 0, /* is read without asking */
        NULL_OK = 1 << 1, /* null is decoded as not given */
};

typedef struct Field {
        const char *path;
        Type type;
        unsigned flags;
        const char *words; /* WORD: " a b " */
} Field;

#define STATUS_WORDS " pending running completed failed cancelled "
#define FORMAT_WORDS " qcow2 raw vmdk ova ovf "

/* The Go tool, the Python and the TypeScript SDK: a job. */
static const Field sdk_job[] = {
        { "definition", OBJECT, MUST },
        { "definition.id", TEXT },
        { "definition.name", TEXT },
        { "definition.vm_path", TEXT, MUST },
        { "definition.output_path", TEXT },
        { "definition.output_dir", TEXT },
        { "definition.vcenter_url", TEXT },
        { "definition.vcenter", OBJECT },
        { "definition.vcenter.server", TEXT },
        { "definition.username", TEXT },
        { "definition.datacenter", TEXT },
        { "definition.format", WORD, 0, FORMAT_WORDS },
        { "definition.export_method", WORD, 0, "  ctl govc ovftool web " },
        { "definition.method", TEXT },
        { "definition.insecure", BOOLEAN },
        { "definition.compress", BOOLEAN },
        { "definition.thin", BOOLEAN },
        { "definition.created_at", TIME },
        { "definition.options", OBJECT },
        { "definition.options.parallel_downloads", INTEGER },
        { "definition.options.remove_cdrom", BOOLEAN },
        { "definition.options.compress_level", INTEGER },
        { "definition.options.libvirt_uri", TEXT },
        { "status", WORD, MUST, STATUS_WORDS },
        { "progress", OBJECT, NULL_OK },
        { "progress.phase", TEXT, MUST },
        { "progress.current_step", TEXT },
        { "progress.bytes_downloaded", INTEGER },
        { "progress.bytes_transferred", INTEGER },
        { "progress.total_bytes", INTEGER },
        { "progress.percent_complete", NUMBER, MUST },
        { "progress.estimated_remaining", TEXT, NULL_OK },
        { "result", OBJECT, NULL_OK },
        { "result.vm_name", TEXT, MUST },
        { "result.output_dir", TEXT, MUST },
        { "result.ovf_path", TEXT, MUST },
        { "result.files", TEXTS, MUST },
        { "result.output_files", TEXTS },
        { "result.total_size", INTEGER, MUST },
        { "result.duration", INTEGER, MUST },
        { "result.success", BOOLEAN, MUST },
        { "result.error", TEXT, NULL_OK },
        { "error", TEXT, NULL_OK },
        { "started_at", TIME, NULL_OK },
        { "completed_at", TIME, NULL_OK },
        { "updated_at", TIME, MUST },
        {},
};

static const Field sdk_schedule[] = {
        { "id", TEXT },
        { "name", TEXT, MUST },
        { "description", TEXT },
        { "schedule", TEXT, MUST },
        { "job_template", OBJECT, MUST },
        { "job_template.vm_path", TEXT, MUST },
        { "job_template.name", TEXT },
        { "enabled", BOOLEAN },
        { "created_at", TIME },
        { "updated_at", TIME },
        { "next_run", TIME, NULL_OK },
        { "last_run", TIME, NULL_OK },
        { "run_count", INTEGER },
        {},
};

/* The dashboard: what it formats without asking. */
static const Field dashboard_job[] = {
        { "id", TEXT, MUST },
        { "name", TEXT, MUST },
        { "status", WORD, MUST, STATUS_WORDS },
        { "progress", NUMBER, MUST },
        { "start_time", TIME, MUST },
        { "end_time", TIME },
        { "duration_seconds", NUMBER, MUST },
        { "provider", TEXT, MUST },
        { "vm_name", TEXT, MUST },
        { "vm_path", TEXT, MUST },
        { "output_dir", TEXT, MUST },
        { "format", TEXT, MUST },
        { "compress", BOOLEAN, MUST },
        { "error_msg", TEXT },
        { "created_at", TIME, MUST },
        { "updated_at", TIME, MUST },
        {},
};

#define WORKER_STATES " CREATED VALIDATED QUEUED ASSIGNED RUNNING RETRYING COMPLETED FAILED CANCELLED "

/* Clients of the worker API: an entry of the list, and a job. */
static const Field worker_entry[] = {
        { "job_id", TEXT, MUST },
        { "operation", TEXT, MUST },
        { "state", WORD, MUST, WORKER_STATES },
        { "is_terminal", BOOLEAN, MUST },
        { "percentage", INTEGER },
        { "created_at", TIME, MUST },
        { "updated_at", TIME, MUST },
        {},
};
static const Field worker_job[] = {
        { "job_id", TEXT, MUST },
        { "spec", OBJECT, MUST },
        { "state", WORD, MUST, WORKER_STATES },
        { "result", OBJECT, NULL_OK },
        { "result.status", WORD, MUST, " completed failed cancelled " },
        { "created_at", TIME, MUST },
        { "updated_at", TIME, MUST },
        { "completed_at", TIME, NULL_OK },
        { "worker_id", TEXT, NULL_OK },
        {},
};

static bool fits(const Field *f, const json_t *value) {
        _cleanup_free_ char *word = NULL;
        usec_t t;
        size_t i;
        json_t *item;

        switch (f->type) {
        case TEXT:
                return json_is_string(value);
        case BOOLEAN:
                return json_is_boolean(value);
        case INTEGER:
                return json_is_integer(value);
        case NUMBER:
                return json_is_number(value);
        case TIME:
                return json_is_string(value) && parse_rfc3339(json_string_value(value), &t) >= 0;
        case OBJECT:
                return json_is_object(value);
        case TEXTS:
                json_array_foreach(value, i, item)
                        if (!json_is_string(item))
                                return false;
                return json_is_array(value);
        case WORD:
                word = json_is_string(value) ? strprintf(" %s ", json_string_value(value)) : NULL;
                return word && strstr(f->words, word);
        }
        return false;
}

/* The value that has the field, as far as it is there; false if it is not, or null. */
static bool has_parent(const json_t *whole, const char *path) {
        const char *dot = strrchr(path, '.');
        _cleanup_free_ char *parent = dot ? strndup(path, (size_t) (dot - path)) : NULL;

        return !dot || json_is_object(json_path_get(whole, parent));
}

static void decode_strictly(const Field *fields, const json_t *value, const char *what) {
        _cleanup_free_ char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);

        ck_assert_msg(json_is_object(value), "%s is no object", what);
        for (const Field *f = fields; f->path; f++) {
                const json_t *v = json_path_get(value, f->path);

                if (!v) {
                        ck_assert_msg(!(f->flags & MUST) || !has_parent(value, f->path),
                                        "%s: %s is missing: %s", what, f->path, text);
                        continue;
                }
                if (json_is_null(v) && (f->flags & NULL_OK))
                        continue;
                ck_assert_msg(fits(f, v), "%s: %s does not fit: %s", what, f->path, text);
        }
}

/* --- words ----------------------------------------------------------------------------------------- */

static bool is_state_in_capitals(const char *s) {
        return job_state_from_string(s) >= 0 && isupper((unsigned char) *s);
}

/* Each text of a HyperSDK answer: none is a state in another dialect's words. */
static void assert_words_of_hypersdk(const json_t *value, const char *key, const char *what) {
        const char *k;
        json_t *item;
        size_t i;

        if (json_is_string(value))
                ck_assert_msg(!is_state_in_capitals(json_string_value(value)), "%s: %s: %s", what, key,
                                json_string_value(value));
        json_array_foreach(value, i, item)
                assert_words_of_hypersdk(item, key, what);
        json_object_foreach((json_t *) value, k, item)
                assert_words_of_hypersdk(item, k, what);
}

/* Each "state" of a worker answer is a canonical one. */
static void assert_words_of_worker(const json_t *value, const char *what) {
        const char *key, *s;
        json_t *item;
        size_t i;

        json_array_foreach(value, i, item)
                assert_words_of_worker(item, what);
        json_object_foreach((json_t *) value, key, item) {
                s = json_string_value(item);
                if (s && streq(key, "state"))
                        ck_assert_msg(is_state_in_capitals(s), "%s: %s", what, s);
                assert_words_of_worker(item, what);
        }
}

/* --- every job ------------------------------------------------------------------------------------- */

#define RESULT "{\"outputs\":[{\"path\":\"/out/vm.ovf\",\"actual_size\":700}],\"metrics\":{},\"error\":null}"

static void check_row(JobRow *row, const char *what) {
        JobRow *rows[] = { row };
        JobRows list = { .rows = rows, .n = 1, .total = 1 };
        const JobStateRow states[] = { { JOB_CREATED, T0, (char *) "" }, { row->state, T0, NULL } };
        uint64_t counts[_JOB_STATE_MAX] = {};
        const HypersdkDashboard dashboard = { .counts = counts, .recent = &list };
        _cleanup_json_ json_t *sdk = hypersdk_jobs_json(&list, T0), *progress = hypersdk_progress_json(row),
                              *eta = hypersdk_eta_json(row, T0),
                              *metrics = hypersdk_dashboard_json(&dashboard, T0),
                              *entry = worker_summary_json(row, T0), *job = worker_job_json(row, states, 2);
        const json_t *sdk_all[] = { sdk, progress, eta, metrics };

        decode_strictly(sdk_job, json_array_get(json_object_get(sdk, "jobs"), 0), what);
        decode_strictly(dashboard_job, json_array_get(json_path_get(metrics, "raw.recent_jobs"), 0), what);
        decode_strictly(worker_entry, entry, what);
        decode_strictly(worker_job, job, what);
        for (size_t i = 0; i < ELEMENTSOF(sdk_all); i++)
                assert_words_of_hypersdk(sdk_all[i], "", what);
        assert_words_of_worker(entry, what);
        assert_words_of_worker(job, what);
}

/* In each state, with all that a job has then. */
static void check_job(const char *dialect, const char *request, const char *spec, const char *what) {
        for (JobState s = 0; s < _JOB_STATE_MAX; s++) {
                bool ended = job_state_is_terminal(s);
                JobRow row = {
                        .id = (char *) "job-1",
                        .operation = (char *) "convert",
                        .spec = (char *) spec,
                        .dialect = (char *) dialect,
                        .request = (char *) request,
                        .state = s,
                        .reason = (char *) "because",
                        .attempt = 1,
                        .created_at = T0,
                        .updated_at = T0 + 90 * USEC_PER_SEC,
                        .started_at = s == JOB_RUNNING || ended ? T0 + USEC_PER_SEC : 0,
                        .finished_at = ended ? T0 + 90 * USEC_PER_SEC : 0,
                        .phase = s == JOB_RUNNING ? PHASE_CONVERSION : _PHASE_INVALID,
                        .percent = 45.9,
                        .bytes_done = 1,
                        .bytes_total = 1000,
                        .rate = s == JOB_RUNNING ? 7 : 0,
                        .result = (char *) (s == JOB_COMPLETED ? RESULT : NULL),
                };

                check_row(&row, what);
        }
}

static void check_schedule(const char *dialect, const char *request, const char *spec, const char *last,
                const char *what) {
        const ScheduleRow row = { .id = (char *) "s",
                .name = (char *) "S",
                .description = (char *) "",
                .expression = (char *) "@daily",
                .spec = (char *) spec,
                .request = (char *) request,
                .dialect = (char *) dialect,
                .created_at = T0,
                .updated_at = T0,
                .last_status = (char *) last };
        _cleanup_json_ json_t *schedule = hypersdk_schedule_json(&row),
                              *reply = hypersdk_schedule_reply_json(&row, "done", true, T0);

        decode_strictly(sdk_schedule, schedule, what);
        decode_strictly(sdk_schedule, reply, what);
        assert_words_of_hypersdk(schedule, "", what);
        assert_words_of_hypersdk(reply, "", what);
}

typedef int (*decode_func)(json_t *object, DialectJob *ret, JsonErrors *errors);

/* 1 if it is a job. */
static int check_request(const char *dialect, decode_func decode, json_t *request, const char *what) {
        _cleanup_(dialect_job_done) DialectJob job = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_free_ char *sent = NULL, *spec = NULL;

        if (decode(request, &job, &errors) < 0)
                return 0;
        sent = json_dumps(job.request, JSON_COMPACT);
        spec = json_dumps(job.spec->document, JSON_COMPACT);
        check_job(dialect, sent, spec, what);
        check_job("bus", NULL, spec, what);
        for (JobState s = 0; s < _JOB_STATE_MAX; s++)
                check_schedule(dialect, sent, spec, job_state_to_string(s), what);
        check_schedule("bus", NULL, spec, NULL, what);
        return 1;
}

static void check_file(const char *dialect, decode_func decode) {
        const char *srcdir = getenv("srcdir");
        _cleanup_free_ char *path =
                        strprintf("%s/tests/unit/data/%s-jobs.json", srcdir ? srcdir : ".", dialect);
        _cleanup_json_ json_t *cases = json_load_file(path, 0, NULL);
        size_t i;
        json_t *c;

        ck_assert_uint_gt(json_array_size(cases), 5);
        json_array_foreach(cases, i, c) {
                const char *name = json_string_value(json_object_get(c, "name"));

                ck_assert_msg(check_request(dialect, decode, json_object_get(c, "request"), name) == 1, "%s",
                                name);
        }
}

START_TEST(jobs_of_each_dialect_fit_each_client) {
        check_file("hypersdk", hypersdk_job_decode);
        check_file("worker", worker_job_decode);
}
END_TEST

/* What clients may send as well, with values that no other client could decode. */
START_TEST(odd_values_of_one_client_do_not_reach_another) {
        static const char *const fields[] = { "name", "description", "output_dir_label", "created_at",
                "vcenter_url", "vcenter", "username", "datacenter", "export_method", "method", "insecure",
                "thin", "provider", "options.parallel_downloads", "options.remove_cdrom",
                "options.libvirt_uri", "options.compress_level" };
        static const char *const values[] = { "null", "7", "1.5", "true", "\"text\"", "\"\"", "[]", "[1]",
                "{}", "{\"server\":7}", "\"2026-01-17T10:30:00\"", "\"0001-01-01T00:00:00Z\"" };
        unsigned n = 0;

        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                for (size_t j = 0; j < ELEMENTSOF(values); j++) {
                        _cleanup_json_ json_t *request = json_pack("{s:s}", "vm_path", "/srv/a.vmdk");
                        _cleanup_free_ char *what = strprintf("%s = %s", fields[i], values[j]);

                        ck_assert_int_eq(json_path_set(request, fields[i],
                                                         json_loads(values[j], JSON_DECODE_ANY, NULL)),
                                        0);
                        n += (unsigned) check_request("hypersdk", hypersdk_job_decode, request, what);
                }
        ck_assert_uint_gt(n, 150);
}
END_TEST

START_TEST(a_manifest_fits_each_client) {
        _cleanup_json_ json_t *request =
                        json_loads("{\"id\":\"w-1\",\"workflow_id\":\"w\",\"name\":\"web\",\"pipeline\":{"
                                   "\"load\":{\"source_type\":\"vmdk\","
                                   "\"source_path\":\"/srv/"
                                   "a.vmdk\"},\"convert\":{\"output_format\":\"qcow2\",\"compress\":true}}}",
                                        0, NULL);

        ck_assert_int_eq(check_request("hypersdk", hypersdk_manifest_job_decode, request, "manifest"), 1);
}
END_TEST

/* The hosts API: words under /api/v1, libvirt's numbers under /api. */
START_TEST(vms_have_the_words_of_the_hosts_api) {
        static const char words[] = " ACTIVE PAUSED SUSPENDED STOPPED ERROR UNKNOWN ";

        for (int state = 0; state < 9; state++) {
                VmRow row = { .name = (char *) "vm",
                        .uuid = (char *) "u",
                        .description = (char *) "",
                        .cpu_model = (char *) "",
                        .cpu_topology = (char *) "",
                        .drift = (char *) "",
                        .os_type = (char *) "",
                        .state = state };
                const VmView vm = {
                        .row = &row, .host_id = "h", .host_name = "h", .connected = true, .task = ""
                };
                _cleanup_json_ json_t *v1 = hosts_vm_json(&vm, true), *plain = hosts_vm_json(&vm, false);
                const Field word = { "state", WORD, MUST, words };

                ck_assert(fits(&word, json_object_get(v1, "state")));
                ck_assert(json_is_integer(json_object_get(plain, "state")));
        }
}
END_TEST

TEST_MAIN("client-types", jobs_of_each_dialect_fit_each_client,
                odd_values_of_one_client_do_not_reach_another, a_manifest_fits_each_client,
                vms_have_the_words_of_the_hosts_api)
