/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who has submitted a job: the caller on the bus, who has logged in as another user, a schedule. */

#include <fcntl.h>

#include "manager/submit-options.h"
#include "shared/error-table.h"
#include "spec/submitter.h"
#include "store/jobs.h"
#include "unit/lib/manager-test.h"

static json_t *submitter_of(Fixture *f, const char *id) {
        _cleanup_(job_row_freep) JobRow *row = NULL;

        ck_assert_int_eq(store_job_get(f->store, id, &row), 0);
        return row->submitter ? json_loads(row->submitter, 0, NULL) : NULL;
}

static void expect_submitter(Fixture *f, const char *id, const char *expected) {
        _cleanup_json_ json_t *submitter = submitter_of(f, id), *wanted = json_loads(expected, 0, NULL);
        _cleanup_free_ char *text = json_dumps(submitter, JSON_COMPACT);

        ck_assert_ptr_nonnull(wanted);
        ck_assert_msg(json_equal(submitter, wanted), "%s: %s", id, strna(text));
}

/* --- logind ---------------------------------------------------------------------------------------- */

typedef struct Logind {
        sd_bus *bus;
        unsigned n_calls;
        bool no_session;
} Logind;

static int method_session(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Logind *l = userdata;
        uint32_t pid;

        ck_assert_int_ge(sd_bus_message_read(m, "u", &pid), 0);
        ck_assert_uint_eq(pid, (uint32_t) getpid());
        l->n_calls++;
        if (l->no_session)
                return sd_bus_error_set(error, "org.freedesktop.login1.NoSessionForPID", "It has none");
        return sd_bus_reply_method_return(m, "o", "/org/freedesktop/login1/session/_31");
}

static int get_text(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", streq(property, "Id") ? "c1" : "alice");
}

static int get_user(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "(uo)", 1000u, "/org/freedesktop/login1/user/_1000");
}

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("GetSessionByPID", "u", "o", method_session, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};
static const sd_bus_vtable session_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Id", "s", get_text, 0, 0),
        SD_BUS_PROPERTY("User", "(uo)", get_user, 0, 0),
        SD_BUS_PROPERTY("Name", "s", get_text, 0, 0),
        SD_BUS_VTABLE_END,
};

static void logind_open(Fixture *f, Logind *l) {
        l->bus = connect_bus(f);
        ck_assert_int_ge(sd_bus_add_object_vtable(l->bus, NULL, "/org/freedesktop/login1",
                                         "org.freedesktop.login1.Manager", manager_vtable, l),
                        0);
        ck_assert_int_ge(sd_bus_add_object_vtable(l->bus, NULL, "/org/freedesktop/login1/session/_31",
                                         "org.freedesktop.login1.Session", session_vtable, l),
                        0);
        ck_assert_int_ge(sd_bus_request_name(l->bus, "org.freedesktop.login1", 0), 0);
}

static void submit_on(Fixture *f, sd_bus *bus, const char *id) {
        _cleanup_free_ char *spec = make_spec(f, id, NULL);
        sd_bus_message *m = NULL;

        ck_assert_int_ge(sd_bus_message_new_method_call(bus, &m, HYPER_BUS_NAME, HYPER_BUS_PATH,
                                         HYPER_MANAGER_INTERFACE, "SubmitJob"),
                        0);
        ck_assert_int_ge(sd_bus_message_append(m, "sa{sv}", spec, 0), 0);
        ck_assert_int_ge(call_message(f, m, NULL, NULL), 0);
}

#define ROOT "{\"name\":\"root\",\"user\":\"root\",\"uid\":0}"
#define ALICE "{\"name\":\"alice\",\"user\":\"alice\",\"uid\":0,\"session\":\"c1\"}"

/* --- tests ----------------------------------------------------------------------------------------- */

BUS_TEST(without_logind_it_is_root)
        submit(&f, "a", NULL);
        expect_submitter(&f, "a", ROOT);
        settle_down(&f);
        ck_assert_uint_eq(f.manager->n_calls_pending, 0);
BUS_TEST_END

BUS_TEST(who_has_logged_in_is_found)
        Logind l = {};

        logind_open(&f, &l);
        submit(&f, "a", NULL);
        expect_submitter(&f, "a", ALICE);
        submit(&f, "b", NULL);
        expect_submitter(&f, "b", ALICE);
        ck_assert_uint_eq(l.n_calls, 1); /* it is the same client */
        settle_down(&f);
        ck_assert_uint_eq(f.manager->n_calls_pending, 0);

        sd_bus *other = connect_bus(&f);
        l.no_session = true;
        submit_on(&f, other, "c");
        expect_submitter(&f, "c", ROOT);
        ck_assert_uint_eq(l.n_calls, 2);
        sd_bus_flush_close_unref(other);
        sd_bus_flush_close_unref(l.bus);
BUS_TEST_END

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        unsigned *n = userdata;

        ck_assert(!sd_bus_message_is_method_error(m, NULL));
        (*n)++;
        return 0;
}

BUS_TEST(many_clients_at_the_same_time)
        sd_bus *clients[20];
        unsigned n_replies = 0;
        Logind l = {};

        logind_open(&f, &l);
        for (unsigned i = 0; i < ELEMENTSOF(clients); i++) {
                _cleanup_free_ char *id = strprintf("job-%u", i), *spec = make_spec(&f, id, NULL);
                clients[i] = connect_bus(&f);
                ck_assert_int_ge(sd_bus_call_method_async(clients[i], NULL, HYPER_BUS_NAME, HYPER_BUS_PATH,
                                                 HYPER_MANAGER_INTERFACE, "SubmitJob", on_reply, &n_replies,
                                                 "sa{sv}", spec, 0),
                                0);
        }
        while (n_replies < ELEMENTSOF(clients))
                turn(&f);
        for (unsigned i = 0; i < ELEMENTSOF(clients); i++) {
                _cleanup_free_ char *id = strprintf("job-%u", i);
                expect_submitter(&f, id, ALICE);
                sd_bus_flush_close_unref(clients[i]);
        }
        ck_assert_uint_eq(l.n_calls, ELEMENTSOF(clients));
        sd_bus_flush_close_unref(l.bus);
BUS_TEST_END

BUS_TEST(only_hyper_apid_speaks_for_others)
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *spec = make_spec(&f, "a", NULL);
        int r = call(&f, "SubmitJob", NULL, &error, "sa{sv}", spec, 1, "submitter", "a{ss}", 1, "user",
                        "mallory");

        ck_assert_int_lt(r, 0);
        ck_assert_str_eq(error.name, HYPER_BUS_ERROR_ACCESS_DENIED);
        ck_assert_ptr_nonnull(strstr(error.message, "options.submitter"));
        sd_bus_error_free(&error);
        r = call(&f, "SubmitJob", NULL, &error, "sa{sv}", spec, 1, "submitter", "a{ss}", 1, "colour", "red");
        ck_assert_int_lt(r, 0);
        ck_assert_ptr_nonnull(strstr(error.message, "must have nothing but user"));
BUS_TEST_END

BUS_TEST(it_is_shown)
        sd_bus_message *m = NULL;
        const char *text, *reason, *submitter;
        uint64_t rate, remaining, total;

        submit(&f, "a", NULL);
        settle_down(&f);
        ck_assert_int_ge(call(&f, "GetJob", &m, NULL, "s", "a"), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "os", NULL, &text), 0);
        _cleanup_json_ json_t *o = json_loads(text, 0, NULL);
        ck_assert_str_eq(
                        json_string_value(json_object_get(json_object_get(o, "submitter"), "name")), "root");
        ck_assert_str_eq(json_string_value(json_object_get(
                                         json_array_get(json_object_get(o, "state_history"), 0), "reason")),
                        "Job submitted via bus by root");
        m = sd_bus_message_unref(m);

        ck_assert_int_ge(call(&f, "ListJobs", &m, NULL, "a{sv}", 0), 0);
        ck_assert_int_gt(sd_bus_message_skip(m, "t"), 0);
        ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "(sosssdttsttts)"), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "(sosssdttsttts)", NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                                         NULL, &reason, &rate, &remaining, &total, &submitter),
                        0);
        ck_assert_str_eq(submitter, "root");
        ck_assert_uint_eq(remaining, UINT64_MAX);
        sd_bus_message_unref(m);
BUS_TEST_END

BUS_TEST(the_jobs_of_a_schedule)
        _cleanup_free_ char *source = strprintf("%s/source.raw", f.dir),
                            *text = strprintf("{\"id\":\"nightly\",\"schedule\":\"0 2 * * *\",\"job\":{"
                                              "\"operation\":\"convert\",\"source\":{\"type\":\"file\","
                                              "\"path\":\"%s\"},\"destination\":{\"type\":\"file\","
                                              "\"path\":\"%s/{job_id}.raw\"}}}",
                                            source, f.dir);
        sd_bus_message *m = NULL;
        const char *id, *details;

        make_file(source, "disk");
        ck_assert_int_ge(call(&f, "CreateSchedule", NULL, NULL, "sa{sv}", text, 0), 0);
        ck_assert_int_ge(call(&f, "TriggerSchedule", &m, NULL, "sa{sv}", "nightly", 0), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "s", &id), 0);
        expect_submitter(&f, id, "{\"name\":\"root\",\"user\":\"root\",\"uid\":0,\"schedule\":\"nightly\"}");
        m = sd_bus_message_unref(m);
        ck_assert_int_ge(call(&f, "GetSchedule", &m, NULL, "s", "nightly"), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "os", NULL, &details), 0);
        ck_assert_ptr_nonnull(strstr(details, "\"submitter\":{\"name\":\"root\""));
        sd_bus_message_unref(m);
BUS_TEST_END

/* A page of GetJobLog: the messages, joined. */
static char *page(Fixture *f, const char *cursor, uint64_t limit, char **ret_next) {
        sd_bus_message *m = NULL;
        const char *text, *next;
        _cleanup_strv_free_ char **messages = NULL;
        json_t *entry;
        size_t i;

        ck_assert_int_ge(call(f, "GetJobLog", &m, NULL, "sa{sv}", "a", 2, "cursor", "s", cursor, "limit",
                                         "t", limit),
                        0);
        ck_assert_int_gt(sd_bus_message_read(m, "ss", &text, &next), 0);
        _cleanup_json_ json_t *list = json_loads(text, 0, NULL);
        json_array_foreach(list, i, entry)
                ck_assert_int_ge(
                                strv_extend(&messages, json_string_value(json_object_get(entry, "message"))),
                                0);
        ck_assert_int_ge(free_and_strdup(ret_next, next), 0);
        sd_bus_message_unref(m);
        return strv_join(messages, ",");
}

BUS_TEST(wrong_pages_of_a_log)
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *next = NULL;

        submit(&f, "a", NULL);
        _cleanup_free_ char *nothing = page(&f, "", 10, &next);
        ck_assert_str_eq(nothing, "");
        ck_assert_str_eq(next, "");
        ck_assert_int_eq(call(&f, "GetJobLog", NULL, NULL, "sa{sv}", "none", 0), -ENOENT);
        ck_assert_int_lt(call(&f, "GetJobLog", NULL, NULL, "sa{sv}", "a", 1, "limit", "t", UINT64_C(0)), 0);
        ck_assert_int_lt(call(&f, "GetJobLog", NULL, NULL, "sa{sv}", "a", 1, "limit", "t", UINT64_C(1001)),
                        0);
        ck_assert_int_lt(call(&f, "GetJobLog", NULL, &error, "sa{sv}", "a", 1, "cursor", "s", "x"), 0);
        ck_assert_msg(strstr(error.message, "options.cursor"), "%s", error.message);
BUS_TEST_END

static void refused(const char *name, const char *value) {
        _cleanup_submitter_ Submitter s = {};

        ck_assert_int_eq(submitter_set(&s, name, value), -EINVAL);
}

static void named(const char *name, const char *value, const char *expected) {
        _cleanup_submitter_ Submitter s = {};

        ck_assert_int_eq(submitter_set(&s, name, value), 0);
        _cleanup_free_ char *text = submitter_to_text(&s), *shown = submitter_name_of(text);
        ck_assert_str_eq(shown, expected);
}

START_TEST(what_is_known) {
        char large[300];

        memset(large, 'a', sizeof(large) - 1);
        large[sizeof(large) - 1] = '\0';
        named("user", "alice", "alice");
        named("key", "ci", "key ci");
        named("uid", "1000", "user 1000");
        named("schedule", "nightly", "schedule nightly");
        named("address", "192.0.2.1", "192.0.2.1");
        refused("user", "");
        refused("user", "a\nb");
        refused("user", "\xff");
        refused("user", large);
        refused("uid", "-1");
        refused("uid", "4294967295");
        refused("name", "alice");

        _cleanup_free_ char *none = submitter_name_of(NULL), *other = submitter_name_of("{"),
                            *scheduled = submitter_text_add_schedule(NULL, "nightly");
        ck_assert_str_eq(none, "");
        ck_assert_str_eq(other, "");
        ck_assert_str_eq(scheduled, "{\"name\":\"schedule nightly\",\"schedule\":\"nightly\"}");
}
END_TEST

TEST_MAIN("manager-submitter", without_logind_it_is_root, who_has_logged_in_is_found,
                many_clients_at_the_same_time, only_hyper_apid_speaks_for_others, it_is_shown,
                the_jobs_of_a_schedule, wrong_pages_of_a_log, what_is_known)
