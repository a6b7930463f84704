/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Schedules of v1: what clients send and read, and the list, over HTTP with a database that the test writes
 * as the manager does. Changes: system/published-v1. */

#include <sys/socket.h>

#include "api/v1/v1-routes.h"
#include "api/v1/v1-schedule-json.h"
#include "basic/string-util.h"
#include "store/api-keys.h"
#include "unit/lib/api-test.h"
#include "unit/lib/test.h"

#define T0 (1767225600 * USEC_PER_SEC) /* 2026-01-01T00:00:00Z */

static json_t *parse(const char *text) {
        json_t *object = json_loads(text, 0, NULL);

        ck_assert_msg(json_is_object(object), "%s", text);
        return object;
}

START_TEST(definitions) {
        static const struct {
                const char *body, *definition, *job;
        } cases[] = {
                { "{\"id\":\"a\",\"schedule\":\"0 2 * * *\",\"job\":{\"type\":\"export\"}}",
                                "{\"id\":\"a\",\"schedule\":\"0 2 * * *\"}", "{\"type\":\"export\"}" },
                { "{\"cron\":\"@daily\",\"job_template\":{\"type\":\"export\"},\"carbon\":{\"max_delay\":5},"
                  "\"enabled\":false,\"name\":null,\"colour\":\"red\"}",
                                "{\"enabled\":false,\"schedule\":\"@daily\"}",
                                "{\"carbon\":{\"max_delay\":5},\"type\":\"export\"}" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_t *body = parse(cases[i].body), *definition = NULL, *job = NULL;
                _cleanup_(json_errors_done) JsonErrors errors = {};

                ck_assert_int_eq(v1_schedule_decode(body, true, NULL, &definition, &job, &errors), 0);
                _cleanup_free_ char *one = json_dumps(definition, JSON_COMPACT | JSON_SORT_KEYS),
                                    *two = json_dumps(job, JSON_COMPACT | JSON_SORT_KEYS);
                ck_assert_str_eq(one, cases[i].definition);
                ck_assert_str_eq(two, cases[i].job);
        }
}
END_TEST

START_TEST(what_is_wrong_is_named) {
        static const struct {
                const char *body, *error;
                bool create;
        } cases[] = {
                { "{}", "job: must be an object", true },
                { "{\"job\":5}", "job: must be an object", false },
                { "{\"carbon\":{}}", "carbon: must be given together with job", false },
                { "{\"schedule\":\"a\",\"cron\":\"b\"}", "cron: contradicts schedule", false },
                { "{\"job\":{},\"job_template\":{\"a\":1}}", "job_template: contradicts job", true },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_t *body = parse(cases[i].body), *definition = NULL, *job = NULL;
                _cleanup_(json_errors_done) JsonErrors errors = {};
                int r = v1_schedule_decode(body, cases[i].create, NULL, &definition, &job, &errors);
                _cleanup_free_ char *text = json_errors_text(&errors);

                ck_assert_msg(r == -EBADMSG && startswith(text, cases[i].error), "%s: %d, %s", cases[i].body,
                                r, text);
        }
}
END_TEST

START_TEST(times_of_an_expression) {
        _cleanup_json_ json_t *body = parse("{\"schedule\":\"TZ=UTC 30 2 1 * *\"}"),
                              *every = parse("{\"cron\":\"@every 90m\"}"),
                              *bad = parse("{\"schedule\":\"61 * * * *\"}"), *none = parse("{}"),
                              *one = NULL, *two = NULL, *three = NULL;
        _cleanup_(json_errors_done) JsonErrors errors = {}, wrong = {}, missing = {};

        ck_assert_int_eq(v1_schedule_times(body, T0, &one, &errors), 0);
        ck_assert_int_eq(v1_schedule_times(every, T0, &two, &errors), 0);
        _cleanup_free_ char *text = json_dumps(json_object_get(one, "next_runs"), JSON_COMPACT),
                            *more = json_dumps(json_object_get(two, "next_runs"), JSON_COMPACT);
        ck_assert_str_eq(text,
                        "[\"2026-01-01T02:30:00Z\",\"2026-02-01T02:30:00Z\",\"2026-03-01T02:30:00Z\","
                        "\"2026-04-01T02:30:00Z\",\"2026-05-01T02:30:00Z\"]");
        ck_assert_ptr_nonnull(strstr(more, "\"2026-01-01T01:30:00Z\",\"2026-01-01T03:00:00Z\""));
        ck_assert_int_eq(v1_schedule_times(bad, T0, &three, &wrong), -EBADMSG);
        ck_assert_str_eq(wrong.errors[0].field, "schedule");
        ck_assert_int_eq(v1_schedule_times(none, T0, &three, &missing), -EBADMSG);
        ck_assert_str_eq(missing.errors[0].field, "schedule");
}
END_TEST

/* --- over HTTP ------------------------------------------------------------------------------------- */

typedef struct Fixture {
        char *dir;
        Store *store;
        TestServer server;
        ApiKey key;
} Fixture;

static void add(Fixture *f, const char *id, const char *name, bool enabled, const char *dialect,
                unsigned at) {
        const ScheduleRow row = { .id = (char *) id,
                .name = (char *) name,
                .description = (char *) "",
                .expression = (char *) "0 2 * * *",
                .enabled = enabled,
                .role = ROLE_OPERATOR,
                .spec = (char *) "{\"operation\":\"convert\",\"source\":{\"type\":\"vsphere\",\"name\":\"vc1\","
                                 "\"vm_path\":\"DC/vm/Web\"},\"parameters\":{\"kind\":\"export\"}}",
                .dialect = (char *) dialect,
                .request = (char *) "{\"type\":\"export\",\"vm_name\":\"shop\"}",
                .created_at = T0 + at * USEC_PER_SEC,
                .updated_at = T0,
                .next_at = enabled ? T0 + (100 - at) * USEC_PER_SEC : 0 };

        ck_assert_int_eq(store_schedule_insert(f->store, &row), 0);
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
        add(f, "c", "zebra", true, "v1", 1);
        add(f, "b", "Ant", false, "v1", 2);
        add(f, "a", "", true, "hypersdk", 3);
        test_server_start(&f->server, AF_INET, &v1_dialect,
                        &(ApiConfig){ .database = path, .bus_address = "unix:path=/nonexistent/bus" });
}

static void fixture_done(Fixture *f) {
        ck_assert_int_eq(test_server_stop(&f->server), 0);
        store_free(f->store);
        test_dir_freep(&f->dir);
}
#define _cleanup_fixture_ _cleanup_(fixture_done)

static json_t *ask(Fixture *f, const char *path, unsigned status) {
        _cleanup_reply_ TestReply r = {};

        test_request(&f->server, &r, "GET %s HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %s\r\n\r\n", path,
                        f->key.text);
        ck_assert_msg(r.status == status, "%s: %u: %s", path, r.status, r.body);
        return parse(r.body);
}

START_TEST(the_list) {
        static const struct {
                const char *query, *ids;
                unsigned total;
        } cases[] = {
                { "", "a b c", 3 },
                { "?sort=created_at&order=asc", "c b a", 3 },
                { "?sort=name", "b c a", 3 }, /* without a name: last */
                { "?sort=name&order=desc", "c b a", 3 },
                { "?sort=next_run", "c a b", 3 },
                { "?sort=last_run&order=asc", "a b c", 3 },
                { "?status=enabled", "a c", 2 },
                { "?status=enabled,disabled&limit=1&offset=1", "b", 3 },
                { "?status=disabled&search=ANT", "b", 1 },
                { "?search=SHOP", "a b c", 3 },
                { "?search=zeb", "c", 1 },
                { "?search=100%25", "", 0 },
                { "?created_after=2026-01-01T00:00:01Z&created_before=2026-01-01T00:00:03Z", "b", 1 },
        };
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *path = strprintf("/api/v1/schedules%s", cases[i].query), *joined = NULL;
                _cleanup_json_ json_t *page = ask(&f, path, 200);
                _cleanup_strv_free_ char **ids = NULL;
                json_int_t total;
                json_t *item;
                size_t k;

                json_array_foreach(json_object_get(page, "data"), k, item)
                        ck_assert_int_eq(strv_extend(&ids, json_string_value(json_object_get(item, "id"))),
                                        0);
                joined = strv_join(ids, " ");
                ck_assert_msg(streq(strempty(joined), cases[i].ids), "%s: %s", path, joined);
                ck_assert_int_eq(json_unpack(page, "{s:{s:I}}", "pagination", "total", &total), 0);
                ck_assert_msg(total == cases[i].total, "%s: %lld", path, (long long) total);
        }
        static const char *const bad[] = { "limit=201", "status=on", "sort=id", "provider=vsphere",
                "search=" };
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_free_ char *path = strprintf("/api/v1/schedules?%s", bad[i]);

                json_decref(ask(&f, path, 400));
        }
}
END_TEST

START_TEST(one_schedule) {
        _cleanup_fixture_ Fixture f;
        const char *status, *vm, *type, *provider, *name, *overlap;
        int enabled;

        fixture_open(&f);
        _cleanup_json_ json_t *own = ask(&f, "/api/v1/schedules/b", 200),
                              *other = ask(&f, "/api/v1/schedules/a", 200),
                              *classic = ask(&f, "/schedules/a", 200);
        ck_assert_int_eq(json_unpack(own, "{s:s, s:b, s:{s:s}, s:s, s:n, s:n, s:n, s:s}", "status", &status,
                                         "enabled", &enabled, "job", "vm_name", &vm, "name", &name, "carbon",
                                         "next_run", "last_job_id", "overlap_policy", &overlap),
                        0);
        ck_assert_str_eq(status, "disabled");
        ck_assert_str_eq(vm, "shop");
        ck_assert_str_eq(overlap, "skip");
        ck_assert_int_eq(
                        json_unpack(other, "{s:s, s:{s:s, s:s, s:s, s:s}}", "status", &status, "job", "type",
                                        &type, "provider", &provider, "vm_name", &vm, "provider_id", &name),
                        0);
        ck_assert_str_eq(type, "export");
        ck_assert_str_eq(provider, "vsphere");
        ck_assert_str_eq(vm, "DC/vm/Web");
        ck_assert_str_eq(name, "vc1");
        /* without the prefix, it is the other API's */
        ck_assert_ptr_nonnull(json_object_get(classic, "job_template"));
        json_decref(ask(&f, "/api/v1/schedules/none", 404));
}
END_TEST

TEST_MAIN("v1-schedules", definitions, what_is_wrong_is_named, times_of_an_expression, the_list,
                one_schedule)
