/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* /audit/logs: what is in the journal, and who may have written it.
 *
 * weight: 0.2 */

#include <sys/socket.h>

#include "unit/lib/v1-world.h"
#include "json/json-table.h"

static void write_entry(World *w, const char *kind, const char *unit, const char *user, const char *text) {
        _cleanup_free_ char *a = strprintf("HYPER_AUDIT=%s", kind), *u = strprintf("_SYSTEMD_UNIT=%s", unit),
                            *n = strprintf("HYPER_USER=%s", user), *m = strprintf("MESSAGE=%s", text);
        const char *const fields[] = { a, u, n, m, "HYPER_ROLE=admin", "HYPER_ADDRESS=192.0.2.1", NULL };

        journal_write(&w->writer, fields);
}

static void world_start(World *w) {
        world_make(w, SCOPE_ADMIN);
        write_entry(w, "login", "hyper-managerd.service", "anna", "Session 1 of anna began.");
        write_entry(w, "request", "hyper.service", "anna", "POST /jobs of user anna");
        write_entry(w, "request", "hyper.service", "tool", "DELETE /jobs/1 of key tool");
        write_entry(w, "refused", "hyper-auth@7-1.service", "eve", "Refused a login of eve");
        /* not by those who write them */
        write_entry(w, "request", "user@1000.service", "anna", "forged");
        write_entry(w, "refused", "hyper.service", "anna", "forged");
        write_entry(w, "login", "hyper-auth.service", "anna", "forged");
        write_entry(w, "other", "hyper.service", "anna", "of another kind");
        world_end_journal(w);
        world_serve(w);
}

static json_t *ask(World *w, const char *query, unsigned status) {
        _cleanup_reply_ TestReply r = {};
        json_t *json;

        test_request(&w->server, &r,
                        "GET /api/v1/audit/logs%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
                        "\r\n",
                        query, w->key.text);
        ck_assert_msg(r.status == status, "%s: %u: %s", query, r.status, r.body);
        json = json_loads(r.body, 0, NULL);
        ck_assert_ptr_nonnull(json);
        return json;
}

START_TEST(the_newest_first) {
        static const struct {
                const char *query, *wanted;
                unsigned total;
        } cases[] = {
                { "", "eve tool anna anna", 4 },
                { "?limit=2", "eve tool", 4 },
                { "?limit=2&offset=3", "anna", 4 },
                { "?type=request", "tool anna", 2 },
                { "?type=login,refused", "eve anna", 2 },
                { "?user=anna", "anna anna", 2 },
                { "?user=nobody", "", 0 },
                { "?search=delete", "tool", 1 },
                { "?created_after=2100-01-01T00:00:00Z", "", 0 },
                { "?created_before=1990-01-01T00:00:00Z", "", 0 },
                { "?created_after=1990-01-01T00:00:00Z&created_before=2100-01-01T00:00:00Z",
                                "eve tool anna anna", 4 },
        };
        _cleanup_world_ World w;

        world_start(&w);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_t *all = ask(&w, cases[i].query, 200);
                json_t *data = json_object_get(all, "data"), *entry;
                _cleanup_strv_free_ char **users = NULL;
                _cleanup_free_ char *joined = NULL;
                size_t n;

                json_array_foreach(data, n, entry)
                        ck_assert_int_eq(strv_extend(&users,
                                                         json_string_value(json_object_get(entry, "user"))),
                                        0);
                joined = strv_join(users, " ");
                ck_assert_str_eq(strempty(joined), cases[i].wanted);
                ck_assert_int_eq(json_integer_value(json_object_get(
                                                 json_object_get(all, "pagination"), "total")),
                                cases[i].total);
                ck_assert(json_is_false(json_object_get(all, "incomplete")));
        }
}
END_TEST

START_TEST(an_entry) {
        _cleanup_world_ World w;

        world_start(&w);
        _cleanup_json_ json_t *all = ask(&w, "?user=tool", 200);
        const json_t *entry = json_array_get(json_object_get(all, "data"), 0);
        static const char *const values[][2] = { { "type", "request" }, { "role", "admin" },
                { "address", "192.0.2.1" }, { "message", "DELETE /jobs/1 of key tool" } };

        for (size_t i = 0; i < ELEMENTSOF(values); i++)
                ck_assert_str_eq(json_string_value(json_object_get(entry, values[i][0])), values[i][1]);
        ck_assert(json_is_string(json_object_get(entry, "timestamp")));
}
END_TEST

START_TEST(what_is_wrong) {
        static const char *const queries[] = { "?type=other", "?limit=201", "?sort=user",
                "?search=", "?created_after=yesterday" };
        _cleanup_world_ World w;

        world_start(&w);
        for (size_t i = 0; i < ELEMENTSOF(queries); i++)
                json_decref(ask(&w, queries[i], 400));
}
END_TEST

START_TEST(only_for_administrators) {
        _cleanup_world_ World w;

        world_make(&w, SCOPE_SUBMIT);
        world_end_journal(&w);
        world_serve(&w);
        json_decref(ask(&w, "", 403));
}
END_TEST

int run_tests(void);
#define main run_tests
TEST_MAIN("v1-audit", the_newest_first, an_entry, what_is_wrong, only_for_administrators)
#undef main

int main(void) {
        if (!journal_writer_available()) {
                printf("Left out: systemd-journal-remote is not installed.\n");
                return 77;
        }
        return run_tests();
}
