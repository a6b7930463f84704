/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Workers that wait for a job over HTTP: hyper-apid in a process of its own, before a manager on a private
 * bus. */

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "api/worker/worker-routes.h"
#include "unit/lib/api-test.h"
#include "unit/lib/manager-test.h"

typedef struct World {
        Fixture f;
        TestServer server;
} World;

static void world_open(World *w) {
        *w = (World){};
        fixture_open(&w->f);
        _cleanup_free_ char *database = strprintf("%s/hyper.db", w->f.state),
                            *address = strprintf("unix:path=%s/bus", w->f.dir);

        /* Before the database is open here: SQLite's connections do not survive a fork. */
        test_server_start(&w->server, AF_INET, &worker_dialect,
                        &(ApiConfig){ .database = database, .bus_address = address });
        w->f.no_local_worker = true;
        manager_up(&w->f);
}

static void world_close(World *w) {
        if (w->server.pid > 0)
                ck_assert_int_eq(test_server_stop(&w->server), 0);
        fixture_close(&w->f);
}

static void register_worker(World *w, const char *id, const char *capabilities) {
        _cleanup_free_ char *text = strprintf(
                        "{\"worker_id\":\"%s\",\"capabilities\":[\"qemu_img\"%s]}", id, capabilities);

        ck_assert_int_ge(call(&w->f, "RegisterWorker", NULL, NULL, "s", text), 0);
}

static void submit_queued(World *w, const char *id, const char *extra) {
        _cleanup_free_ char *spec = make_spec(&w->f, id, extra);

        ck_assert_int_ge(call(&w->f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 1, "any-worker", "b", 1), 0);
}

static bool is_readable(int fd) {
        struct pollfd p = { .fd = fd, .events = POLLIN };

        return poll(&p, 1, 0) > 0;
}

static int send_dequeue(World *w, const char *body) {
        int fd = test_connect(&w->server);

        test_send(fd, "POST /queue/dequeue HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s",
                        strlen(body), body);
        return fd;
}

static usec_t heard(World *w, const char *worker) {
        _cleanup_(worker_row_freep) WorkerRow *row = NULL;

        ck_assert_int_eq(store_worker_get(w->f.store, worker, &row), 0);
        return row->heartbeat_at;
}

/* Asks, and returns when the manager has been asked: from then on no job is missed. */
static int wait_for_job(World *w, const char *worker) {
        _cleanup_free_ char *body = strprintf("{\"worker_id\":\"%s\",\"wait\":60}", worker);

        usec_t before = test_clock += 2 * USEC_PER_SEC; /* so that it is written that the worker was heard */
        int fd = send_dequeue(w, body);
        while (heard(w, worker) < before)
                ck_assert_int_ge(sd_event_run(w->f.event, 20 * USEC_PER_MSEC), 0);
        ck_assert(!is_readable(fd));
        return fd;
}

/* The answer that comes: its status, and the id of the job in *ret_id (NULL: there is none). */
static unsigned answer(World *w, int fd, char **ret_id) {
        _cleanup_reply_ TestReply reply = {};
        _cleanup_json_ json_t *body = NULL;
        const char *id;

        while (!is_readable(fd))
                ck_assert_int_ge(sd_event_run(w->f.event, 20 * USEC_PER_MSEC), 0);
        test_read_reply(fd, &reply);
        close(fd);
        body = json_loads(strempty(reply.body), JSON_DECODE_ANY, NULL);
        ck_assert_msg(body, "%s", reply.body);
        id = json_string_value(json_object_get(body, "job_id"));
        if (ret_id)
                *ret_id = id ? strdup(id) : NULL;
        ck_assert(id || reply.status != 200 || json_is_null(body));
        return reply.status;
}

static void expect_answer(World *w, int fd, const char *expected) {
        _cleanup_free_ char *id = NULL;

        ck_assert_uint_eq(answer(w, fd, &id), 200);
        ck_assert_msg(streq_ptr(id, expected), "got %s, not %s", strna(id), strna(expected));
}

/* All that is under way has come to rest, and these got no answer: the API has answered a request that came
 * after. */
static void expect_silence(World *w, const int *fds, size_t n) {
        int fd = test_connect(&w->server);

        test_send(fd,
                        "POST /workers/nobody/heartbeat HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                        "0\r\n\r\n");
        ck_assert_uint_eq(answer(w, fd, NULL), 404);
        for (size_t i = 0; i < n; i++)
                ck_assert(!is_readable(fds[i]));
}

/* clang-format off */
#define WAIT_TEST(name) START_TEST(name) { World w; world_open(&w);
#define WAIT_TEST_END world_close(&w); } END_TEST
/* clang-format on */

WAIT_TEST(a_worker_that_waits_gets_the_job_when_it_comes)
        register_worker(&w, "w1", "");
        int fd = wait_for_job(&w, "w1");
        submit_queued(&w, "a", NULL);
        expect_answer(&w, fd, "a");
        ck_assert_int_eq(state_of(&w.f, "a"), JOB_ASSIGNED);
        submit_queued(&w, "b", NULL);
        expect_answer(&w, send_dequeue(&w, "{\"worker_id\":\"w1\",\"wait\":60}"), "b");
        expect_answer(&w, send_dequeue(&w, "{\"worker_id\":\"w1\"}"), NULL);
        expect_answer(&w, send_dequeue(&w, "{\"worker_id\":\"w1\",\"wait\":1}"), NULL);
WAIT_TEST_END

WAIT_TEST(one_job_wakes_the_worker_that_waits_for_longest)
        int fds[5];
        char id[3] = "w0";

        for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
                id[1] = (char) ('0' + i);
                register_worker(&w, id, "");
                fds[i] = wait_for_job(&w, id);
        }
        for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
                char job[] = { 'a', (char) ('0' + i), '\0' };

                submit_queued(&w, job, NULL);
                expect_answer(&w, fds[i], job);
                expect_silence(&w, fds + i + 1, ELEMENTSOF(fds) - i - 1);
        }
WAIT_TEST_END

WAIT_TEST(a_job_wakes_a_worker_that_can_do_it)
        int able, unable;

        register_worker(&w, "w1", "");
        register_worker(&w, "w2", ",\"lvm_tools\"");
        unable = wait_for_job(&w, "w1");
        able = wait_for_job(&w, "w2");
        submit_queued(&w, "lvm", ",\"capability_requirements\":{\"needs_lvm\":true}");
        expect_answer(&w, able, "lvm");
        expect_silence(&w, &unable, 1);
        submit_queued(&w, "plain", NULL);
        expect_answer(&w, unable, "plain");
WAIT_TEST_END

WAIT_TEST(a_job_that_is_for_this_machine_only_wakes_nobody)
        int fd;

        register_worker(&w, "w1", "");
        fd = wait_for_job(&w, "w1");
        submit(&w.f, "here", NULL);
        expect_silence(&w, &fd, 1);
        close(fd);
WAIT_TEST_END

WAIT_TEST(many_jobs_at_once_reach_as_many_workers)
        int fds[8];
        char *ids[8] = {};

        for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
                char id[] = { 'w', (char) ('0' + i), '\0' };

                register_worker(&w, id, i % 2 ? ",\"lvm_tools\"" : "");
                fds[i] = wait_for_job(&w, id);
        }
        /* Those with lvm_tools are woken by both kinds, and take what comes first. */
        for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
                _cleanup_free_ char *id = strprintf("job-%zu", i);

                submit_queued(&w, id, i < 4 ? ",\"capability_requirements\":{\"needs_lvm\":true}" : NULL);
        }
        for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
                ck_assert_uint_eq(answer(&w, fds[i], &ids[i]), 200);
                ck_assert_ptr_nonnull(ids[i]);
                for (size_t j = 0; j < i; j++)
                        ck_assert_str_ne(ids[i], ids[j]);
        }
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                free(ids[i]);
WAIT_TEST_END

WAIT_TEST(a_worker_that_asks_anew_gives_the_old_question_up)
        int first, second;

        register_worker(&w, "w1", "");
        first = wait_for_job(&w, "w1");
        second = wait_for_job(&w, "w1");
        expect_answer(&w, first, NULL);
        submit_queued(&w, "a", NULL);
        expect_answer(&w, second, "a");
WAIT_TEST_END

WAIT_TEST(a_client_that_has_gone_gets_no_job)
        int gone, half, there;

        register_worker(&w, "w1", "");
        register_worker(&w, "w2", "");
        register_worker(&w, "w3", "");
        gone = wait_for_job(&w, "w1");
        half = wait_for_job(&w, "w2");
        there = wait_for_job(&w, "w3");
        close(gone);
        ck_assert_int_eq(shutdown(half, SHUT_WR), 0);
        submit_queued(&w, "a", NULL);
        expect_answer(&w, there, "a");
        expect_answer(&w, half, NULL);
WAIT_TEST_END

WAIT_TEST(a_job_that_comes_back_wakes_a_worker)
        int fd;

        register_worker(&w, "w1", "");
        register_worker(&w, "w2", "");
        submit_queued(&w, "a", NULL);
        expect_answer(&w, send_dequeue(&w, "{\"worker_id\":\"w1\"}"), "a");
        fd = wait_for_job(&w, "w2");
        ck_assert_int_ge(call(&w.f, "UnregisterWorker", NULL, NULL, "s", "w1"), 0);
        expect_answer(&w, fd, "a");
WAIT_TEST_END

WAIT_TEST(a_worker_that_was_removed_does_not_keep_the_job_from_the_next)
        int removed, next;

        register_worker(&w, "w1", "");
        register_worker(&w, "w2", "");
        removed = wait_for_job(&w, "w1");
        next = wait_for_job(&w, "w2");
        ck_assert_int_ge(call(&w.f, "UnregisterWorker", NULL, NULL, "s", "w1"), 0);
        submit_queued(&w, "a", NULL);
        expect_answer(&w, next, "a");
        ck_assert_uint_eq(answer(&w, removed, NULL), 404);
WAIT_TEST_END

/* The manager sleeps while workers wait, and the next one wakes them. */
WAIT_TEST(workers_wait_on_when_the_manager_ends)
        int fd;

        register_worker(&w, "w1", "");
        fd = wait_for_job(&w, "w1");
        manager_down(&w.f);
        manager_up(&w.f);
        settle_down(&w.f);
        submit_queued(&w, "a", NULL);
        expect_answer(&w, fd, "a");
WAIT_TEST_END

WAIT_TEST(nobody_waits_for_an_api_that_ends)
        int fd;

        register_worker(&w, "w1", "");
        fd = wait_for_job(&w, "w1");
        kill(w.server.pid, SIGTERM);
        expect_answer(&w, fd, NULL);
        ck_assert_int_eq(test_server_wait(&w.server), 0);
WAIT_TEST_END

WAIT_TEST(nobody_waits_without_a_bus)
        unsigned status;
        int fd;

        register_worker(&w, "w1", "");
        fd = wait_for_job(&w, "w1");
        manager_down(&w.f);
        kill(w.f.dbus_pid, SIGKILL);
        /* 503 if it was being asked again just then, since the manager has gone. */
        status = answer(&w, fd, NULL);
        ck_assert_msg(status == 200 || status == 503, "%u", status);
        ck_assert_int_eq(test_server_stop(&w.server), 0);
WAIT_TEST_END

WAIT_TEST(how_long_to_wait_is_checked)
        static const char *const wrong[] = { "61", "-1", "\"1\"", "1.5", "4294967296", "[]" };

        register_worker(&w, "w1", "");
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                _cleanup_free_ char *body = strprintf("{\"worker_id\":\"w1\",\"wait\":%s}", wrong[i]);
                _cleanup_reply_ TestReply reply = {};
                int fd = send_dequeue(&w, body);

                test_read_reply(fd, &reply);
                ck_assert_uint_eq(reply.status, 400);
                ck_assert_msg(strstr(reply.body, "wait: must be") != NULL, "%s", reply.body);
                close(fd);
        }
        expect_answer(&w, send_dequeue(&w, "{\"worker_id\":\"w1\",\"wait\":null}"), NULL);
        ck_assert_uint_eq(answer(&w, send_dequeue(&w, "{\"worker_id\":\"nobody\",\"wait\":60}"), NULL), 404);
WAIT_TEST_END

TEST_MAIN("dequeue-wait", a_worker_that_waits_gets_the_job_when_it_comes,
                one_job_wakes_the_worker_that_waits_for_longest, a_job_wakes_a_worker_that_can_do_it,
                a_job_that_is_for_this_machine_only_wakes_nobody, many_jobs_at_once_reach_as_many_workers,
                a_worker_that_asks_anew_gives_the_old_question_up, a_client_that_has_gone_gets_no_job,
                a_job_that_comes_back_wakes_a_worker,
                a_worker_that_was_removed_does_not_keep_the_job_from_the_next,
                workers_wait_on_when_the_manager_ends, nobody_waits_for_an_api_that_ends,
                nobody_waits_without_a_bus, how_long_to_wait_is_checked)
