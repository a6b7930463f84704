/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What HyperSDK clients hear over /ws: the routes that ship, a real database, a journal written by
 * systemd-journal-remote(8).
 *
 * check: all */

#include <jansson.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "api/hypersdk/hypersdk-routes.h"
#include "store/job-changes.h"
#include "store/jobs.h"
#include "store/store.h"
#include "unit/lib/journal-writer.h"
#include "unit/lib/test.h"
#include "unit/lib/ws-client.h"

typedef struct World {
        char *dir, *database, *journal;
        Store *store;
        JournalWriter writer;
        TestServer server;
} World;

static World world;

static void start(void) {
        World *w = &world;
        ApiConfig config;

        w->dir = test_dir();
        w->database = strprintf("%s/hyper.db", w->dir);
        w->journal = strprintf("%s/journal", w->dir);
        ck_assert_int_eq(mkdir(w->journal, 0700), 0);
        ck_assert_int_eq(store_open(w->database, STORE_OWNER, &w->store), 0);
        journal_writer_start(&w->writer, w->journal);
        config = (ApiConfig){
                .database = w->database,
                .journal_directory = w->journal,
                .bus_address = "unix:path=/nonexistent/bus",
                .metrics = true,
        };
        test_server_start(&w->server, AF_INET, &hypersdk_dialect, &config);
}

static void stop(void) {
        World *w = &world;

        ck_assert_int_eq(test_server_stop(&w->server), 0);
        journal_writer_stop(&w->writer);
        store_free(w->store);
        free(w->database);
        free(w->journal);
        test_dir_freep(&w->dir);
}

/* A job that runs. */
static void add_job(const char *id) {
        usec_t at = now_realtime();
        JobRow row = {
                .id = (char *) id,
                .operation = (char *) "convert",
                .spec = (char *) "{\"source\":{\"type\":\"file\",\"path\":\"/srv/a.vmdk\"}}",
                .dialect = (char *) "hypersdk",
                .request = (char *) "{\"vm_path\":\"/srv/a.vmdk\"}",
                .state = JOB_ASSIGNED,
                .created_at = at,
                .updated_at = at,
                .phase = _PHASE_INVALID,
                .percent = -1,
        };
        const JobStateRow states[] = { { JOB_CREATED, at, (char *) "" }, { JOB_ASSIGNED, at, (char *) "" } };
        const JobTransition run = { .from = JOB_ASSIGNED, .to = JOB_RUNNING, .timestamp = at, .reason = "" };

        ck_assert_int_eq(store_job_insert(world.store, &row, states, 2), 0);
        free(row.reason);
        ck_assert_int_eq(store_job_transition(world.store, id, &run, 1), 0);
}

/* As the manager does it: first the database, then the journal. */
static void end_job(const char *id, JobState state, const char *reason) {
        const JobTransition end = {
                .from = JOB_RUNNING, .to = state, .timestamp = now_realtime(), .reason = reason
        };

        ck_assert_int_eq(store_job_transition(world.store, id, &end, 1), 0);
        journal_write_state(&world.writer, id, job_state_to_string(state), reason);
}

static void write_progress(const char *id, unsigned percent, const char *phase) {
        _cleanup_free_ char *unit = strprintf("_SYSTEMD_UNIT=hyper-job-%s.service", id),
                            *job = strprintf("HYPER_JOB_ID=%s", id),
                            *p = strprintf("HYPER_PERCENT=%u", percent),
                            *done = strprintf("HYPER_BYTES_DONE=%u", percent * 10),
                            *ph = strprintf("HYPER_PHASE=%s", phase);

        journal_write(&world.writer,
                        (const char *[]){ unit, job, p, done, ph, "HYPER_BYTES_TOTAL=1000",
                                        "MESSAGE=going on", "_SYSTEMD_SLICE=hyper-jobs.slice", "PRIORITY=6",
                                        "MESSAGE_ID=7c2f1b609e3d4a538a14510d7a670b13",
                                        "HYPER_EVENT=progress", NULL });
}

/* --- a client -------------------------------------------------------------------------------------- */

/* The next message; NULL at the end. Pings are passed over. */
static json_t *next_message(WsClient *c) {
        WsFrame f;

        while (ws_client_read_frame(c, &f)) {
                json_t *m = NULL;

                if (f.first == (WS_FIN | WS_TEXT)) {
                        m = json_loadb((char *) f.payload, f.size, 0, NULL);
                        ck_assert_msg(json_is_object(m), "no JSON: %s", (char *) f.payload);
                        ck_assert(json_is_string(json_object_get(m, "timestamp")));
                        ck_assert(json_is_object(json_object_get(m, "data")));
                }
                ws_frame_done(&f);
                if (m)
                        return m;
        }
        return NULL;
}

static bool message_is(json_t *m, const char *type) {
        return streq(json_string_value(json_object_get(m, "type")), type);
}

/* The next message of that type; its data, as a new reference. */
static json_t *next_of(WsClient *c, const char *type) {
        json_t *m;

        while ((m = next_message(c))) {
                json_t *data = message_is(m, type) ? json_incref(json_object_get(m, "data")) : NULL;

                json_decref(m);
                if (data)
                        return data;
        }
        ck_abort_msg("the end, instead of %s", type);
        return NULL;
}

static json_t *get_json(const char *path) {
        _cleanup_reply_ TestReply r = {};
        json_t *json;

        test_request(&world.server, &r, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
        ck_assert_uint_eq(r.status, 200);
        json = json_loads(r.body, 0, NULL);
        ck_assert_ptr_nonnull(json);
        return json;
}

static const char *string_at(json_t *data, const char *a, const char *b) {
        json_t *v = json_object_get(data, a);

        return json_string_value(b ? json_object_get(v, b) : v);
}

static json_int_t number_at(json_t *data, const char *a, const char *b) {
        json_t *v = json_object_get(data, a);

        return json_integer_value(b ? json_object_get(v, b) : v);
}

/* Reads job updates until the job has that status; returns the last. */
static json_t *wait_for_status(WsClient *c, const char *id, const char *status) {
        for (;;) {
                json_t *data = next_of(c, "job_update");

                if (streq(string_at(data, "job_id", NULL), id) &&
                                streq(string_at(data, "status", NULL), status))
                        return data;
                json_decref(data);
        }
}

/* --- tests ----------------------------------------------------------------------------------------- */

START_TEST(first_the_jobs_then_the_status) {
        json_t *m, *expected, *data;
        WsClient c;

        start();
        add_job("a");
        add_job("b");
        ws_client_open(&c, &world.server);

        m = next_message(&c);
        ck_assert(message_is(m, "jobs"));
        data = json_object_get(m, "data");
        expected = get_json("/jobs/query");
        ck_assert_int_eq(number_at(data, "total", NULL), 2);
        ck_assert(json_equal(json_object_get(data, "jobs"), json_object_get(expected, "jobs")));
        json_decref(m);
        json_decref(expected);

        m = next_message(&c);
        ck_assert(message_is(m, "status"));
        data = json_object_get(m, "data");
        ck_assert_int_eq(number_at(data, "total_jobs", NULL), 2);
        ck_assert_int_eq(number_at(data, "running_jobs", NULL), 2);
        json_decref(m);
        ws_client_close(&c);
        stop();
}
END_TEST

START_TEST(without_a_database_there_are_no_jobs) {
        json_t *data;
        WsClient c;

        start();
        ck_assert_int_eq(unlink(world.database), 0);
        ws_client_open(&c, &world.server);
        data = next_of(&c, "jobs");
        ck_assert(json_is_array(json_object_get(data, "jobs")));
        ck_assert_int_eq(number_at(data, "total", NULL), 0);
        json_decref(data);
        data = next_of(&c, "status");
        ck_assert_int_eq(number_at(data, "total_jobs", NULL), 0);
        json_decref(data);
        ws_client_close(&c);
        stop();
}
END_TEST

START_TEST(the_status_comes_again_and_again) {
        WsClient c;

        start();
        ws_client_open(&c, &world.server);
        for (int i = 0; i < 3; i++) {
                json_t *data = next_of(&c, "status");

                ck_assert_int_eq(number_at(data, "total_jobs", NULL), i > 0);
                json_decref(data);
                if (i == 0)
                        add_job("a");
        }
        ws_client_close(&c);
        stop();
}
END_TEST

START_TEST(an_update_is_the_job_as_it_is) {
        json_t *data, *job;
        WsClient c, other;

        start();
        add_job("a");
        ws_client_open(&c, &world.server);
        ws_client_open(&other, &world.server);
        json_decref(next_of(&c, "status"));
        json_decref(next_of(&other, "status"));
        end_job("a", JOB_FAILED, "the disk is full");

        data = next_of(&c, "job_update");
        job = get_json("/jobs/a");
        ck_assert(json_equal(data, job));
        ck_assert_str_eq(string_at(data, "status", NULL), "failed");
        ck_assert_str_eq(string_at(data, "error", NULL), "the disk is full");
        ck_assert_str_eq(string_at(data, "definition", "id"), "a");
        json_decref(data);
        data = next_of(&other, "job_update");
        ck_assert(json_equal(data, job));
        json_decref(data);
        json_decref(job);
        ws_client_close(&c);
        ws_client_close(&other);
        stop();
}
END_TEST

START_TEST(progress_is_told_before_the_database_has_it) {
        json_t *data;
        WsClient c;

        start();
        add_job("a");
        ws_client_open(&c, &world.server);
        json_decref(next_of(&c, "status"));
        write_progress("a", 42, "conversion");
        data = next_of(&c, "job_update");
        ck_assert_str_eq(string_at(data, "status", NULL), "running");
        ck_assert_int_eq(number_at(data, "progress", "percent_complete"), 42);
        ck_assert_int_eq(number_at(data, "progress", "current_bytes"), 420);
        ck_assert_int_eq(number_at(data, "progress", "total_bytes"), 1000);
        ck_assert_str_eq(string_at(data, "progress", "phase"), "conversion");
        json_decref(data);

        /* Once it has ended, what it said on the way counts no more. */
        end_job("a", JOB_COMPLETED, "done");
        data = wait_for_status(&c, "a", "completed");
        ck_assert_int_eq(number_at(data, "progress", "percent_complete"), 100);
        json_decref(data);
        ws_client_close(&c);
        stop();
}
END_TEST

START_TEST(a_few_changes_are_updates_at_once) {
        json_t *data;
        WsClient c;

        start();
        add_job("a");
        ws_client_open(&c, &world.server);
        json_decref(next_of(&c, "status"));
        for (unsigned i = 1; i <= 5; i++)
                write_progress("a", i, "conversion");
        for (unsigned i = 1; i <= 5; i++) {
                data = next_of(&c, "job_update");
                ck_assert_int_eq(number_at(data, "progress", "percent_complete"), i);
                json_decref(data);
        }
        ws_client_close(&c);
        stop();
}
END_TEST

START_TEST(many_changes_are_few_updates_and_the_last_is_not_lost) {
        usec_t last[10] = {};
        WsClient c;
        unsigned n = 0;
        json_t *m;

        start();
        add_job("a");
        add_job("b");
        ws_client_open(&c, &world.server);
        json_decref(next_of(&c, "status"));
        for (unsigned i = 1; i <= 100; i++) {
                write_progress("a", i, "conversion");
                usleep(10 * USEC_PER_MSEC);
        }
        end_job("a", JOB_COMPLETED, "done");
        write_progress("b", 7, "conversion"); /* the limit is each job's own */

        for (bool a_done = false, b_seen = false; !a_done || !b_seen;) {
                usec_t at;

                m = next_message(&c);
                ck_assert_ptr_nonnull(m);
                if (message_is(m, "job_update")) {
                        json_t *data = json_object_get(m, "data");

                        if (streq(string_at(data, "job_id", NULL), "b")) {
                                ck_assert_int_eq(number_at(data, "progress", "percent_complete"), 7);
                                b_seen = true;
                        } else {
                                bool completed = streq(string_at(data, "status", NULL), "completed");

                                /* It may be told twice: for the last progress, the row is read, too. */
                                ck_assert(!a_done || completed);
                                a_done = completed;
                                ck_assert_int_eq(parse_rfc3339(string_at(m, "timestamp", NULL), &at), 0);
                                /* ten in any second (the times are those of the messages, cut to
                                 * microseconds) */
                                ck_assert_uint_ge(at, last[n % 10] + 990 * USEC_PER_MSEC);
                                last[n++ % 10] = at;
                        }
                }
                json_decref(m);
        }
        ck_assert_uint_ge(n, 2);
        ws_client_close(&c);
        stop();
}
END_TEST

START_TEST(what_others_write_into_the_journal_is_not_believed) {
        json_t *data;
        WsClient c;

        start();
        add_job("a");
        add_job("b");
        ws_client_open(&c, &world.server);
        json_decref(next_of(&c, "status"));
        journal_write_progress(&world.writer, "a", "user@1000.service", "forged");
        write_progress("b", 7, "conversion");
        data = next_of(&c, "job_update");
        ck_assert_str_eq(string_at(data, "job_id", NULL), "b");
        json_decref(data);
        ws_client_close(&c);
        stop();
}
END_TEST

START_TEST(schedules_are_told_of) {
        json_t *data;
        WsClient c;

        start();
        ws_client_open(&c, &world.server);
        json_decref(next_of(&c, "status"));
        journal_write(&world.writer, /* anybody can write this */
                        (const char *[]){ "_SYSTEMD_UNIT=user@1000.service",
                                        "_SYSTEMD_SLICE=user-1000.slice", "HYPER_SCHEDULE_ID=forged",
                                        "HYPER_SCHEDULE_EVENT=failed", "MESSAGE=forged", "PRIORITY=6",
                                        NULL });
        journal_write(&world.writer,
                        (const char *[]){ "_SYSTEMD_UNIT=hyper-managerd.service",
                                        "_SYSTEMD_SLICE=system.slice", "HYPER_SCHEDULE_ID=nightly",
                                        "HYPER_SCHEDULE_EVENT=triggered", "HYPER_JOB_ID=nightly-1",
                                        "MESSAGE=It is time", "PRIORITY=6", NULL });
        journal_write(&world.writer,
                        (const char *[]){ "_SYSTEMD_UNIT=hyper-managerd.service",
                                        "_SYSTEMD_SLICE=system.slice", "HYPER_SCHEDULE_ID=nightly",
                                        "HYPER_SCHEDULE_EVENT=skipped", "MESSAGE=The one before goes on",
                                        "PRIORITY=5", NULL });
        data = next_of(&c, "schedule_event");
        ck_assert_str_eq(string_at(data, "schedule_id", NULL), "nightly");
        ck_assert_str_eq(string_at(data, "event", NULL), "triggered");
        ck_assert_str_eq(string_at(data, "job_id", NULL), "nightly-1");
        json_decref(data);
        data = next_of(&c, "schedule_event");
        ck_assert_str_eq(string_at(data, "event", NULL), "skipped");
        ck_assert(json_is_null(json_object_get(data, "job_id")));
        json_decref(data);
        ws_client_close(&c);
        stop();
}
END_TEST

START_TEST(who_comes_later_hears_what_comes_later) {
        json_t *data;
        WsClient c;

        start();
        add_job("a");
        for (unsigned round = 1; round <= 3; round++) { /* each time the follower starts anew */
                ws_client_open(&c, &world.server);
                json_decref(next_of(&c, "status"));
                write_progress("a", round * 10, "conversion");
                data = next_of(&c, "job_update");
                ck_assert_int_eq(number_at(data, "progress", "percent_complete"), round * 10);
                json_decref(data);
                ws_client_close(&c);
        }
        stop();
}
END_TEST

START_TEST(what_clients_say_is_not_listened_to) {
        WsClient c;

        start();
        ws_client_open(&c, &world.server);
        ws_client_send(&c, "{\"type\":\"hello\"}");
        ws_client_send(&c, "no JSON");
        json_decref(next_of(&c, "jobs"));
        json_decref(next_of(&c, "status"));
        json_decref(next_of(&c, "status"));
        ws_client_close(&c);
        stop();
}
END_TEST

START_TEST(how_long_a_client_stays_is_no_answering_time) {
        usec_t deadline = now_monotonic() + 20 * USEC_PER_SEC;
        bool counted = false;
        WsClient c;

        start();
        ws_client_open(&c, &world.server);
        json_decref(next_of(&c, "status"));
        ws_client_close(&c);
        while (!counted) { /* when it is over */
                _cleanup_reply_ TestReply r = {};

                ck_assert_uint_lt(now_monotonic(), deadline);
                test_request(&world.server, &r, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
                ck_assert_uint_eq(r.status, 200);
                counted = strstr(r.body, "hypersdk_api_requests_total{method=\"GET\",path=\"/ws\"");
                ck_assert_ptr_null(strstr(r.body, "seconds_count{method=\"GET\",path=\"/ws\""));
        }
        stop();
}
END_TEST

START_TEST(many_jobs_at_once) {
        WsClient c;
        unsigned n = 0;
        json_t *m;

        start();
        for (unsigned i = 0; i < 60; i++) {
                _cleanup_free_ char *id = strprintf("job%u", i);

                add_job(id);
        }
        ws_client_open(&c, &world.server);
        json_decref(next_of(&c, "status"));
        for (unsigned i = 0; i < 60; i++) {
                _cleanup_free_ char *id = strprintf("job%u", i);

                write_progress(id, 1, "conversion");
                write_progress(id, 2, "conversion");
        }
        while (n < 60) {
                m = next_message(&c);
                ck_assert_ptr_nonnull(m);
                if (message_is(m, "job_update"))
                        n += number_at(json_object_get(m, "data"), "progress", "percent_complete") == 2;
                json_decref(m);
        }
        ws_client_close(&c);
        stop();
}
END_TEST

int run_tests(void);
#define main run_tests
START_TEST(the_dashboard_gets_its_metrics) {
        static const char *const numbers[] = { "jobs_active", "jobs_completed", "jobs_failed",
                "jobs_pending", "jobs_cancelled", "queue_length", "http_requests", "http_errors",
                "avg_response_time", "memory_usage", "cpu_usage", "goroutines", "active_connections",
                "websocket_clients", "uptime_seconds" };
        static const char *const texts[] = { "id", "name", "status", "start_time", "provider", "vm_name",
                "vm_path", "output_dir", "format", "created_at", "updated_at" };
        WsClient c;

        start();
        add_job("a");
        ws_client_open(&c, &world.server);
        json_t *data = next_of(&c, "metrics"), *raw = json_object_get(data, "raw"),
               *job = json_array_get(json_object_get(raw, "recent_jobs"), 0);
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                ck_assert_msg(json_is_number(json_object_get(raw, numbers[i])), "%s", numbers[i]);
        ck_assert_int_eq(json_integer_value(json_object_get(raw, "jobs_active")), 1);
        ck_assert_int_eq(json_integer_value(json_object_get(raw, "websocket_clients")), 1);
        ck_assert_int_gt(json_integer_value(json_object_get(raw, "memory_usage")), 0);
        ck_assert_str_eq(json_string_value(json_object_get(raw, "system_health")), "healthy");
        ck_assert(json_is_object(json_object_get(raw, "provider_stats")));
        ck_assert(json_is_array(json_object_get(raw, "alerts")));
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                ck_assert_msg(json_is_string(json_object_get(job, texts[i])), "%s", texts[i]);
        ck_assert_str_eq(json_string_value(json_object_get(job, "status")), "running");
        json_decref(data);
        ws_client_close(&c);
        stop();
}
END_TEST

TEST_MAIN("hypersdk-ws", the_dashboard_gets_its_metrics, first_the_jobs_then_the_status,
                without_a_database_there_are_no_jobs, the_status_comes_again_and_again,
                an_update_is_the_job_as_it_is, progress_is_told_before_the_database_has_it,
                a_few_changes_are_updates_at_once, many_changes_are_few_updates_and_the_last_is_not_lost,
                what_others_write_into_the_journal_is_not_believed, schedules_are_told_of,
                who_comes_later_hears_what_comes_later, what_clients_say_is_not_listened_to,
                how_long_a_client_stays_is_no_answering_time, many_jobs_at_once)
#undef main

int main(void) {
        if (!journal_writer_available()) {
                printf("Left out: systemd-journal-remote is not installed.\n");
                return 77;
        }
        return run_tests();
}
