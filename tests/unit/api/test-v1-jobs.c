/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs in the form of v1, over HTTP (without TLS, which system/tls has), with a database that the test writes
 * as the manager does. Filters and orders: test-store-jobs-page. */

#include <sys/socket.h>

#include "api/v1/v1-routes.h"
#include "basic/string-util.h"
#include "dialect/dialect-job.h"
#include "store/api-keys.h"
#include "store/job-changes.h"
#include "store/jobs-page.h"
#include "unit/lib/api-test.h"
#include "unit/lib/test.h"
#include "json/json-table.h"

#define T0 (1767225600 * USEC_PER_SEC) /* 2026-01-01T00:00:00Z */
#define N_JOBS 142u

typedef struct Fixture {
        char *dir;
        Store *store;
        TestServer server;
        ApiKey key;
} Fixture;

static void add_job(Fixture *f, unsigned i) {
        char id[32], spec[512];
        const JobStateRow states[] = { { JOB_CREATED, T0, (char *) "x" },
                { JOB_VALIDATED, T0, (char *) "x" }, { JOB_QUEUED, T0, (char *) "x" } };
        JobRow row = { .id = id,
                .operation = (char *) "convert",
                .spec = spec,
                .dialect = (char *) "bus",
                .priority = 50,
                .role = ROLE_OPERATOR,
                .created_at = T0 + i * USEC_PER_SEC,
                .updated_at = T0 + i * USEC_PER_SEC,
                .phase = _PHASE_INVALID,
                .percent = -1 };

        (void) snprintf(id, sizeof(id), "job-%u", i);
        (void) snprintf(spec, sizeof(spec),
                        "{\"source\":{\"type\":\"%s\",\"%s\":\"%sweb-%u\"},\"destination\":{\"type\":\"file\","
                        "\"path\":\"/srv/%u.qcow2\",\"format\":\"qcow2\"},\"parameters\":{\"compress\":true}}",
                        i % 2 ? "vsphere" : "file", i % 2 ? "vm_path" : "path", i % 2 ? "DC/vm/" : "/srv/",
                        i, i);
        ck_assert_int_eq(store_job_insert(f->store, &row, states, ELEMENTSOF(states)), 0);
        free(row.reason);
}

static void change(Fixture *f, const char *id, JobState from, JobState to, const char *result) {
        const JobTransition t = { .from = from,
                .to = to,
                .timestamp = T0 + 1000 * USEC_PER_SEC,
                .reason = to == JOB_FAILED ? "The disk is full" : "x",
                .result = result,
                .begins_attempt = to == JOB_ASSIGNED };

        ck_assert_int_eq(store_job_transition(f->store, id, &t, 1), 0);
}

static void run(Fixture *f, const char *id, JobState end, const char *result) {
        change(f, id, JOB_QUEUED, JOB_ASSIGNED, NULL);
        change(f, id, JOB_ASSIGNED, JOB_RUNNING, NULL);
        if (end != JOB_RUNNING)
                change(f, id, JOB_RUNNING, end, result);
}

static void fixture_open(Fixture *f) {
        _cleanup_free_ char *path = NULL;

        *f = (Fixture){ .dir = test_dir() };
        path = strprintf("%s/hyper.db", f->dir);
        ck_assert_int_eq(store_open(path, STORE_OWNER, &f->store), 0);
        ApiKeyRow row = { .name = (char *) "test", .scopes = 1u << SCOPE_SUBMIT };
        ck_assert_int_eq(api_key_make(&f->key), 0);
        row.id = f->key.id;
        api_key_hash(f->key.text, strlen(f->key.text), &row.hash);
        ck_assert_int_eq(store_api_key_insert(f->store, &row), 0);
        for (unsigned i = 0; i < N_JOBS; i++)
                add_job(f, i);
        test_server_start(&f->server, AF_INET, &v1_dialect,
                        &(ApiConfig){ .database = path, .bus_address = "unix:path=/nonexistent/bus" });
}

static void fixture_done(Fixture *f) {
        ck_assert_int_eq(test_server_stop(&f->server), 0);
        store_free(f->store);
        test_dir_freep(&f->dir);
}
#define _cleanup_fixture_ _cleanup_(fixture_done)

static json_t *ask(Fixture *f, const char *what, unsigned status) {
        _cleanup_reply_ TestReply r = {};
        json_t *body;

        test_request(&f->server, &r, "%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n",
                        what, f->key.text);
        ck_assert_msg(r.status == status, "%s: %u: %s", what, r.status, r.body);
        body = json_loads(r.body, 0, NULL);
        ck_assert(json_is_object(body));
        return body;
}

START_TEST(pages_of_20_give_each_of_142_jobs_once) {
        bool seen[N_JOBS] = {}, has_more = true;
        _cleanup_fixture_ Fixture f;
        unsigned n = 0;

        fixture_open(&f);
        for (unsigned offset = 0; has_more; offset += 20) {
                _cleanup_free_ char *what = strprintf(
                                "GET %s/jobs?offset=%u&limit=20", offset % 40 ? "" : "/api/v1", offset);
                _cleanup_json_ json_t *page = ask(&f, what, 200);
                json_int_t told_offset, limit, total;
                json_t *job;
                int more;
                size_t i;

                ck_assert_int_eq(json_unpack(page, "{s:{s:I, s:I, s:I, s:b}}", "pagination", "offset",
                                                 &told_offset, "limit", &limit, "total", &total, "has_more",
                                                 &more),
                                0);
                ck_assert_int_eq(told_offset, offset);
                ck_assert_int_eq(limit, 20);
                ck_assert_int_eq(total, N_JOBS);
                json_array_foreach(json_object_get(page, "data"), i, job) {
                        unsigned k = 0;

                        ck_assert_int_eq(sscanf(json_string_value(json_object_get(job, "id")), "job-%u", &k),
                                        1);
                        ck_assert(!seen[k]);
                        ck_assert_uint_eq(k, N_JOBS - 1 - n); /* newest first */
                        seen[k] = true;
                        n++;
                }
                has_more = more;
        }
        ck_assert_uint_eq(n, N_JOBS);
        _cleanup_json_ json_t *behind = ask(&f, "GET /api/v1/jobs?offset=1000", 200);
        ck_assert_uint_eq(json_array_size(json_object_get(behind, "data")), 0);
}
END_TEST

START_TEST(what_is_wrong_is_named) {
        static const struct {
                const char *query, *fields;
        } cases[] = {
                { "limit=201", "limit" },
                { "limit=0", "limit" },
                { "offset=-1", "offset" },
                { "sort=size", "sort" },
                { "order=up", "order" },
                { "status=done", "status" },
                { "status=queued,done", "status" },
                { "provider=aws", "provider" },
                { "type=copy", "type" },
                { "created_after=today", "created_after" },
                { "search=", "search" },
                { "os=linux", "os" },
                { "limit=201&sort=size&status=x", "limit status sort" },
        };
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *what = strprintf("GET /api/v1/jobs?%s", cases[i].query), *joined = NULL;
                _cleanup_json_ json_t *body = ask(&f, what, 400);
                _cleanup_strv_free_ char **fields = NULL;
                json_t *error;
                size_t k;

                json_array_foreach(json_object_get(body, "errors"), k, error)
                        ck_assert_int_eq(strv_extend(&fields,
                                                         json_string_value(json_object_get(error, "field"))),
                                        0);
                joined = strv_join(fields, " ");
                ck_assert_str_eq(joined, cases[i].fields);
        }
        json_decref(ask(&f, "GET /api/v1/jobs?unknown=x", 200));
}
END_TEST

START_TEST(filters_select) {
        static const struct {
                const char *query;
                unsigned n;
        } cases[] = {
                { "status=queued", N_JOBS - 3 },
                { "status=completed,failed", 2 },
                { "status=running&provider=vsphere", 1 },
                { "status=running&provider=local", 0 },
                { "type=export", N_JOBS / 2 },
                { "type=export,convert", N_JOBS },
                { "type=migration", 0 },
                { "created_after=2026-01-01T00:01:00Z&created_before=2026-01-01T00:01:05Z", 4 },
                { "search=WEB-13", 1 + 10 },
        };
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        run(&f, "job-1", JOB_RUNNING, NULL);
        run(&f, "job-2", JOB_COMPLETED, NULL);
        run(&f, "job-3", JOB_FAILED, NULL);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *what = strprintf("GET /api/v1/jobs?%s", cases[i].query);
                _cleanup_json_ json_t *page = ask(&f, what, 200);
                json_int_t total;

                ck_assert_int_eq(json_unpack(page, "{s:{s:I}}", "pagination", "total", &total), 0);
                ck_assert_msg(total == cases[i].n, "%s: %lld", cases[i].query, (long long) total);
        }
}
END_TEST

START_TEST(a_job_has_the_form_of_v1) {
        static const char result[] =
                        "{\"outputs\":[{\"path\":\"/srv/2.qcow2\",\"format\":\"qcow2\",\"actual_size\":5,"
                        "\"virtual_size\":10}],\"guest\":{\"boot_disk\":0,\"changes\":[{\"step\":\"offline_fix\"}]},"
                        "\"domain\":{\"name\":\"web\"}}";
        const char *id, *type, *status, *state, *provider, *name, *format, *error, *path, *destination;
        _cleanup_json_ json_t *queued = NULL, *done = NULL, *failed = NULL;
        _cleanup_fixture_ Fixture f;
        json_int_t position, size;
        double progress;
        int compress;

        fixture_open(&f);
        run(&f, "job-2", JOB_COMPLETED, result);
        run(&f, "job-3", JOB_FAILED, NULL);
        queued = ask(&f, "GET /api/v1/jobs/job-1", 200);
        ck_assert_int_eq(
                        json_unpack(queued,
                                        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:F, s:I, s:n, s:n, s:n, s:{s:s, "
                                        "s:b}}",
                                        "id", &id, "type", &type, "status", &status, "state", &state,
                                        "provider", &provider, "vm_name", &name, "format", &format,
                                        "progress", &progress, "queue_position", &position, "started_at",
                                        "error", "result", "options", "destination", &destination,
                                        "compress", &compress),
                        0);
        ck_assert_str_eq(type, "export");
        ck_assert_str_eq(status, "queued");
        ck_assert_str_eq(state, "QUEUED");
        ck_assert_str_eq(provider, "vsphere");
        ck_assert_str_eq(name, "web-1");
        ck_assert_str_eq(format, "qcow2");
        ck_assert_str_eq(destination, "/srv/1.qcow2");
        ck_assert(progress == 0 && compress && position > 0);

        done = ask(&f, "GET /api/v1/jobs/job-2", 200);
        ck_assert_int_eq(json_unpack(done, "{s:s, s:s, s:F, s:n, s:n, s:{s:s, s:[{s:s, s:I, s:n}]}}",
                                         "status", &status, "type", &type, "progress", &progress,
                                         "queue_position", "error", "result", "output_path", &path, "files",
                                         "path", &path, "size_bytes", &size, "sha256"),
                        0);
        ck_assert_str_eq(status, "completed");
        ck_assert_str_eq(type, "convert");
        ck_assert(progress == 100 && size == 5);
        ck_assert_str_eq(path, "/srv/2.qcow2");
        /* What is in the guest, what was changed in it, and what became of it are those of the other APIs. */
        ck_assert_str_eq(json_string_value(json_path_get(done, "result.domain.name")), "web");
        ck_assert_int_eq(json_integer_value(json_path_get(done, "result.guest.boot_disk")), 0);
        ck_assert_uint_eq(json_array_size(json_path_get(done, "result.guest.changes")), 1);

        failed = ask(&f, "GET /api/v1/jobs/job-3", 200);
        ck_assert_int_eq(
                        json_unpack(failed, "{s:s, s:s, s:n}", "status", &status, "error", &error, "result"),
                        0);
        ck_assert_str_eq(status, "failed");
        ck_assert_str_eq(error, "The disk is full");

        json_decref(ask(&f, "GET /api/v1/jobs/nothing", 404));
        json_decref(ask(&f, "DELETE /api/v1/jobs/job-1", 503)); /* there is no manager */
        /* without the prefix, it is the other API's */
        _cleanup_json_ json_t *other = ask(&f, "GET /jobs/job-1", 200);
        ck_assert_ptr_nonnull(json_object_get(other, "job_id"));
}
END_TEST

TEST_MAIN("v1-jobs", pages_of_20_give_each_of_142_jobs_once, what_is_wrong_is_named, filters_select,
                a_job_has_the_form_of_v1)
