/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Event streams: nothing missing, nothing twice, and always an end.
 *
 * weight: 0.2
 * check: all */

#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "api/http/reply.h"
#include "api/http/request.h"
#include "api/stream/sse-stream.h"
#include "store/job-changes.h"
#include "store/jobs.h"
#include "store/store.h"
#include "unit/lib/api-test.h"
#include "unit/lib/journal-writer.h"
#include "unit/lib/test.h"

/* --- the dialect ----------------------------------------------------------------------------------- */

static int format_event(const JobEvent *event, unsigned *percent, const char **ret_name, json_t **ret_data) {
        if (event->kind == EVENT_STATE)
                return 0; /* not told in this dialect */
        *ret_name = "progress";
        *ret_data = json_pack("{s:s}", "message", event->message);
        return *ret_data ? 0 : -ENOMEM;
}

static json_t *format_error(const char *job_id, JobState state, unsigned percent, const char *reason) {
        return json_pack("{s:s?}", "error", reason);
}

static json_t *format_complete(const char *job_id, JobState state, unsigned percent, const char *reason) {
        return json_pack("{s:s}", "state", job_state_to_string(state));
}

static int on_stream(Request *r) {
        static const SseFormat format = { format_event, format_error, format_complete };

        return request_reply_events(r, request_param(r, "id"), &format);
}

static int on_counters(Request *r) {
        const ApiCounters *c = api_counters(request_api(r));

        return request_reply_json(r, 200,
                        json_pack("{s:i,s:i}", "streams", (int) c->streams, "in_flight",
                                        (int) c->in_flight));
}

static const Route routes[] = {
        { HTTP_GET, "/jobs/{id}/stream", SCOPE_READ, on_stream },
        { HTTP_GET, "/counters", SCOPE_READ, on_counters },
        {},
};

static const Dialect dialect = TEST_DIALECT(routes);

/* --- the surroundings ------------------------------------------------------------------------------ */

typedef struct World {
        char *dir, *database, *journal;
        Store *store;
        JournalWriter writer;
        TestServer server;
        ApiConfig config;
} World;

static World world;

static void prepare(void) {
        World *w = &world;

        w->dir = test_dir();
        w->database = strprintf("%s/hyper.db", w->dir);
        w->journal = strprintf("%s/journal", w->dir);
        ck_assert_int_eq(mkdir(w->journal, 0700), 0);
        ck_assert_int_eq(store_open(w->database, STORE_OWNER, &w->store), 0);
        journal_writer_start(&w->writer, w->journal);
        w->config.database = w->database;
        w->config.journal_directory = w->journal;
        w->config.bus_address = "unix:path=/nonexistent/bus";
}

static void serve(void) {
        test_server_start(&world.server, AF_UNIX, &dialect, &world.config);
}

static void start(void) {
        prepare();
        serve();
}

static void clean_up(void) {
        World *w = &world;

        journal_writer_stop(&w->writer);
        store_free(w->store);
        free(w->database);
        free(w->journal);
        test_dir_freep(&w->dir);
}

static void stop(void) {
        ck_assert_int_eq(test_server_stop(&world.server), 0);
        clean_up();
}

/* A job that ended @age ago, or (not terminal) runs. */
static void add_job(const char *id, JobState state, usec_t age) {
        usec_t at = now_realtime() - age;
        JobRow row = {
                .id = (char *) id,
                .operation = (char *) "convert",
                .spec = (char *) "{}",
                .dialect = (char *) "test",
                .state = JOB_ASSIGNED,
                .created_at = at,
                .updated_at = at,
                .phase = _PHASE_INVALID,
                .percent = -1,
        };
        const JobStateRow states[] = { { JOB_CREATED, at, (char *) "" }, { JOB_ASSIGNED, at, (char *) "" } };
        const JobTransition run = { .from = JOB_ASSIGNED, .to = JOB_RUNNING, .timestamp = at, .reason = "" };
        const JobTransition end = {
                .from = JOB_RUNNING, .to = state, .timestamp = at, .reason = "the reason"
        };

        ck_assert_int_eq(store_job_insert(world.store, &row, states, 2), 0);
        free(row.reason);
        ck_assert_int_eq(store_job_transition(world.store, id, &run, 1), 0);
        if (state != JOB_RUNNING)
                ck_assert_int_eq(store_job_transition(world.store, id, &end, 1), 0);
}

static void write_events(const char *id, unsigned from, unsigned to) {
        for (unsigned i = from; i <= to; i++) {
                _cleanup_free_ char *message = strprintf("event %u", i);

                journal_write_progress(&world.writer, id, NULL, message);
        }
}

/* --- a client -------------------------------------------------------------------------------------- */

typedef struct Stream {
        int fd;
        char *text; /* received, not looked at yet */
        size_t size;
        bool at_end;
        char *name, *data, *id; /* of the last event */
} Stream;

static void stream_open(Stream *s, const char *job_id, const char *last_id) {
        *s = (Stream){ .fd = test_connect(&world.server), .text = calloc(1, 1) };
        test_send(s->fd, "GET /jobs/%s/stream HTTP/1.1\r\nHost: x\r\n%s%s%s\r\n", job_id,
                        last_id ? "Last-Event-ID: " : "", strempty(last_id), last_id ? "\r\n" : "");
}

static void stream_close(Stream *s) {
        close(s->fd);
        free(s->text);
        free(s->name);
        free(s->data);
        free(s->id);
}

/* Removes what chunked encoding puts between two chunks ("\r\n1f\r\n") and before the first one: our text has
 * no carriage return. The last chunk, of size 0, stays for expect_end(). */
static void dechunk(Stream *s) {
        char *p = s->text;

        while ((p = strstr(p, "\r\n"))) {
                size_t n = strspn(p + 2, "0123456789abcdefABCDEF");

                if (n == 0 || !startswith(p + 2 + n, "\r\n") || strtoul(p + 2, NULL, 16) == 0) {
                        p += 2;
                        continue;
                }
                n += 4;
                s->size -= n;
                memmove(p, p + n, strlen(p + n) + 1);
        }
}

/* The head of the answer, and each piece of the body, as they come over the wire. */
static bool stream_read(Stream *s, const char *end) {
        while (!strstr(s->text, end)) {
                struct pollfd p = { .fd = s->fd, .events = POLLIN };
                char buf[4096];
                ssize_t n;

                ck_assert_msg(poll(&p, 1, 30000) == 1, "nothing came for 30 s");
                n = recv(s->fd, buf, sizeof(buf), 0);
                if (n <= 0)
                        return false;
                s->text = realloc(s->text, s->size + (size_t) n + 1);
                memcpy(s->text + s->size, buf, (size_t) n);
                s->size += (size_t) n;
                s->text[s->size] = '\0';
                dechunk(s);
        }
        return true;
}

static char *field_of(const char *block, const char *name) {
        _cleanup_free_ char *key = strprintf("%s: ", name);

        for (const char *line = block; line; line = strchr(line, '\n')) {
                if (*line == '\n')
                        line++;
                if (startswith(line, key))
                        return strndup(line + strlen(key), strcspn(line + strlen(key), "\n"));
        }
        return NULL;
}

/* The next event; comments are passed over. False at the end of the stream. */
static bool stream_next(Stream *s) {
        for (;;) {
                char *end, *block;

                if (s->at_end || !stream_read(s, "\n\n")) {
                        s->at_end = true;
                        return false;
                }
                end = strstr(s->text, "\n\n");
                block = strndup(s->text, (size_t) (end - s->text));
                s->size -= (size_t) (end + 2 - s->text);
                memmove(s->text, end + 2, s->size + 1);

                free(s->name);
                free(s->data);
                free(s->id);
                s->name = field_of(block, "event");
                s->data = field_of(block, "data");
                s->id = field_of(block, "id");
                free(block);
                if (s->name)
                        return true;
        }
}

static void expect_progress(Stream *s, unsigned from, unsigned to) {
        for (unsigned i = from; i <= to; i++) {
                _cleanup_free_ char *data = strprintf("{\"message\":\"event %u\"}", i);

                ck_assert_msg(stream_next(s), "the stream ended before event %u", i);
                ck_assert_str_eq(s->name, "progress");
                ck_assert_str_eq(s->data, data);
                ck_assert_ptr_nonnull(s->id);
        }
}

static void expect_complete(Stream *s, const char *state, bool with_id) {
        _cleanup_free_ char *data = strprintf("{\"state\":\"%s\"}", state);

        ck_assert(stream_next(s));
        ck_assert_str_eq(s->name, "complete");
        ck_assert_str_eq(s->data, data);
        ck_assert_int_eq(!!s->id, with_id);
}

/* The end in good order: the last chunk, and the connection goes on. */
static void expect_end(Stream *s) {
        ck_assert(stream_read(s, "0\r\n\r\n"));
        ck_assert_ptr_null(strstr(s->text, "event:"));
}

/* An EventSource connects again after the end, until it is told that there is nothing more. */
static void expect_nothing_more(const char *job_id, const char *last_id) {
        _cleanup_reply_ TestReply r = {};

        test_request(&world.server, &r,
                        "GET /jobs/%s/stream HTTP/1.1\r\nHost: x\r\nLast-Event-ID: %s\r\n\r\n", job_id,
                        last_id);
        ck_assert_uint_eq(r.status, 204);
}

/* --- the tests ------------------------------------------------------------------------------------- */

START_TEST(the_past_then_what_comes_then_the_end) {
        Stream s;

        start();
        add_job("a", JOB_RUNNING, 0);
        write_events("a", 1, 3);
        stream_open(&s, "a", NULL);
        expect_progress(&s, 1, 3);
        write_events("a", 4, 6);
        expect_progress(&s, 4, 6);
        journal_write_state(&world.writer, "a", "COMPLETED", "done");
        expect_complete(&s, "COMPLETED", true);
        expect_end(&s);
        stream_close(&s);
        stop();
}
END_TEST

START_TEST(a_failed_job_ends_with_error_and_complete) {
        Stream s;

        start();
        add_job("a", JOB_RUNNING, 0);
        stream_open(&s, "a", NULL);
        write_events("a", 1, 1);
        expect_progress(&s, 1, 1);
        journal_write_state(&world.writer, "a", "FAILED", "conversion: no space left");
        ck_assert(stream_next(&s));
        ck_assert_str_eq(s.name, "error");
        ck_assert_str_eq(s.data, "{\"error\":\"conversion: no space left\"}");
        expect_complete(&s, "FAILED", true);
        expect_end(&s);
        stream_close(&s);
        stop();
}
END_TEST

START_TEST(a_client_that_comes_back_goes_on_where_it_was) {
        _cleanup_free_ char *last = NULL;
        Stream s;

        start();
        add_job("a", JOB_RUNNING, 0);
        write_events("a", 1, 6);
        stream_open(&s, "a", NULL);
        expect_progress(&s, 1, 4);
        last = strdup(s.id);
        stream_close(&s);

        write_events("a", 7, 8);
        /* also when the server was restarted in between */
        ck_assert_int_eq(test_server_stop(&world.server), 0);
        write_events("a", 9, 9);
        test_server_start(&world.server, AF_UNIX, &dialect, &world.config);

        stream_open(&s, "a", last);
        expect_progress(&s, 5, 9);
        write_events("a", 10, 10);
        expect_progress(&s, 10, 10);
        journal_write_state(&world.writer, "a", "CANCELLED", "cancelled");
        expect_complete(&s, "CANCELLED", true);
        free(last);
        last = strdup(s.id);
        stream_close(&s);

        /* and after the end there is nothing but the end */
        const JobTransition end = { .from = JOB_RUNNING,
                .to = JOB_CANCELLED,
                .timestamp = now_realtime() - 60 * USEC_PER_SEC,
                .reason = "" };
        ck_assert_int_eq(store_job_transition(world.store, "a", &end, 1), 0);
        expect_nothing_more("a", last);
        stop();
}
END_TEST

/* Only the end itself is the end: a client that is cut off before it hears it, and one that is there when
 * the job is retried goes on. */
START_TEST(a_job_that_was_retried_goes_on_behind_its_end) {
        _cleanup_free_ char *middle = NULL, *end_id = NULL;
        Stream s;

        start();
        add_job("a", JOB_FAILED, 0); /* so young that the journal is waited for */
        write_events("a", 1, 1);
        journal_write_state(&world.writer, "a", "FAILED", "no space");
        stream_open(&s, "a", NULL);
        expect_progress(&s, 1, 1);
        middle = strdup(s.id);
        ck_assert(stream_next(&s));
        ck_assert_str_eq(s.name, "error");
        expect_complete(&s, "FAILED", true);
        end_id = strdup(s.id);
        stream_close(&s);
        expect_nothing_more("a", end_id);
        stream_open(&s, "a", middle);
        ck_assert(stream_next(&s));
        ck_assert_str_eq(s.name, "error");
        stream_close(&s);

        add_job("b", JOB_RUNNING, 0);
        journal_write_state(&world.writer, "b", "FAILED", "no space");
        /* As a retry does, the row is changed after the end was written. */
        const JobProgress again = { .id = "b", .phase = _PHASE_INVALID };
        ck_assert_int_eq(store_job_progress(world.store, &again, 1, now_realtime()), 0);
        write_events("b", 1, 1);
        stream_open(&s, "b", NULL);
        expect_progress(&s, 1, 1);
        stream_close(&s);
        stop();
}
END_TEST

START_TEST(nobody_misses_anything_or_hears_it_twice) {
        enum { CLIENTS = 24, EVENTS = 600 };
        Stream s[CLIENTS];

        start();
        add_job("a", JOB_RUNNING, 0);
        add_job("b", JOB_RUNNING, 0);
        /* Clients come at any moment while events are being written: a replay meets the live part. */
        for (unsigned i = 0; i < CLIENTS; i++) {
                for (unsigned n = i * EVENTS / CLIENTS + 1; n <= (i + 1) * EVENTS / CLIENTS; n++) {
                        write_events("a", n, n);
                        if (n == i * EVENTS / CLIENTS + 1 + i % 7)
                                stream_open(&s[i], "a", NULL);
                        journal_write_progress(&world.writer, "b", NULL, "another job's");
                        journal_write_progress(&world.writer, "a", "evil.service", "forged");
                        journal_write_progress(&world.writer, "a", "hyper-job-b.service", "forged");
                }
        }
        journal_write_state(&world.writer, "a", "COMPLETED", "done");
        for (unsigned i = 0; i < CLIENTS; i++) {
                expect_progress(&s[i], 1, EVENTS);
                expect_complete(&s[i], "COMPLETED", true);
                expect_end(&s[i]);
                stream_close(&s[i]);
        }
        stop();
}
END_TEST

START_TEST(a_cursor_that_is_not_known_begins_anew) {
        static const char *const ids[] = {
                "s=ffffffffffffffffffffffffffffffff;i=5;b=0123456789abcdef0123456789abcdef;m=5;t=5;x=5",
                "s=ffffffffffffffffffffffffffffffff;i=5;b=0123456789abcdef0123456789abcdef;m=5;t="
                "ffffffffffffff;x=5",
                "17",
                "x=1;;;=;",
                "\x7f\xff\xfe",
        };

        start();
        add_job("a", JOB_COMPLETED, 0); /* so young that the journal is waited for */
        write_events("a", 1, 3);
        journal_write_state(&world.writer, "a", "COMPLETED", "done");
        for (size_t i = 0; i < ELEMENTSOF(ids); i++) {
                Stream s;

                stream_open(&s, "a", ids[i]);
                expect_progress(&s, 1, 3);
                expect_complete(&s, "COMPLETED", true);
                expect_end(&s);
                stream_close(&s);
        }
        stop();
}
END_TEST

START_TEST(a_job_without_events_ends_all_the_same) {
        Stream s;

        start();
        add_job("long-ago", JOB_COMPLETED, 3600 * USEC_PER_SEC);
        add_job("failed", JOB_FAILED, 3600 * USEC_PER_SEC);
        stream_open(&s, "long-ago", NULL);
        expect_complete(&s, "COMPLETED", true);
        ck_assert_str_eq(s.id, "complete");
        expect_end(&s);
        stream_close(&s);
        expect_nothing_more("long-ago", "complete");

        stream_open(&s, "failed", NULL);
        ck_assert(stream_next(&s));
        ck_assert_str_eq(s.data, "{\"error\":\"the reason\"}");
        expect_complete(&s, "FAILED", true);
        expect_end(&s);
        stream_close(&s);
        stop();
}
END_TEST

START_TEST(an_end_that_nobody_wrote_down_is_told_from_the_database) {
        Stream s;

        start();
        add_job("a", JOB_RUNNING, 0);
        write_events("a", 1, 1);
        stream_open(&s, "a", NULL);
        expect_progress(&s, 1, 1);
        const JobTransition end = {
                .from = JOB_RUNNING, .to = JOB_COMPLETED, .timestamp = now_realtime(), .reason = ""
        };
        ck_assert_int_eq(store_job_transition(world.store, "a", &end, 1), 0);
        expect_complete(&s, "COMPLETED", true);
        expect_end(&s);
        stream_close(&s);
        stop();
}
END_TEST

START_TEST(a_long_past_comes_whole) {
        Stream s;

        start();
        add_job("a", JOB_COMPLETED, 60 * USEC_PER_SEC);
        write_events("a", 1, 3000);
        journal_write_state(&world.writer, "a", "COMPLETED", "done");
        stream_open(&s, "a", NULL);
        expect_progress(&s, 1, 3000);
        expect_complete(&s, "COMPLETED", true);
        expect_end(&s);
        stream_close(&s);
        stop();
}
END_TEST

/* What waits for it is limited; the rest is read from the journal when it takes more. */
START_TEST(a_slow_client_gets_all_and_others_do_not_wait) {
        _cleanup_free_ char *filler = calloc(1, 8001);
        Stream slow, good;

        memset(filler, 'x', 8000);
        start();
        add_job("a", JOB_RUNNING, 0);
        stream_open(&slow, "a", NULL);
        ck_assert(stream_read(&slow, "retry"));
        stream_open(&good, "a", NULL);
        for (unsigned i = 0; i < 200; i++) {
                _cleanup_free_ char *message = strprintf("%u %s", i, filler);

                journal_write_progress(&world.writer, "a", NULL, message);
                ck_assert(stream_next(&good));
        }
        journal_write_state(&world.writer, "a", "COMPLETED", "done");
        expect_complete(&good, "COMPLETED", true);
        stream_close(&good);

        for (unsigned i = 0; i < 200; i++) {
                _cleanup_free_ char *begin = strprintf("{\"message\":\"%u x", i);

                ck_assert_msg(stream_next(&slow), "the stream ended before event %u", i);
                ck_assert_msg(startswith(slow.data, begin), "event %u: %.40s", i, slow.data);
        }
        expect_complete(&slow, "COMPLETED", true);
        expect_end(&slow);
        stream_close(&slow);
        stop();
}
END_TEST

START_TEST(stopping_ends_streams_without_complete) {
        Stream s;

        start();
        add_job("a", JOB_RUNNING, 0);
        write_events("a", 1, 1);
        stream_open(&s, "a", NULL);
        expect_progress(&s, 1, 1);
        kill(world.server.pid, SIGTERM);
        expect_end(&s);
        stream_close(&s);
        ck_assert_int_eq(test_server_wait(&world.server), 0);
        clean_up();
}
END_TEST

static void expect_streams(unsigned n) {
        _cleanup_free_ char *expected = strprintf("{\"streams\":%u,\"in_flight\":1}", n);

        test_get_until(&world.server, "/counters", expected);
}

START_TEST(a_client_that_leaves_is_noticed_though_nothing_happens) {
        Stream s, other;

        start();
        add_job("a", JOB_RUNNING, 0);
        write_events("a", 1, 1);
        stream_open(&s, "a", NULL);
        stream_open(&other, "a", NULL);
        expect_progress(&s, 1, 1);
        expect_progress(&other, 1, 1);
        expect_streams(2);
        stream_close(&s);
        expect_streams(1);
        write_events("a", 2, 2);
        expect_progress(&other, 2, 2);
        stream_close(&other);
        expect_streams(0);

        /* and the follower starts again for the next one */
        write_events("a", 3, 3);
        stream_open(&s, "a", NULL);
        expect_progress(&s, 1, 3);
        write_events("a", 4, 4);
        expect_progress(&s, 4, 4);
        stream_close(&s);
        stop();
}
END_TEST

START_TEST(a_stream_keeps_the_daemon_and_the_last_one_lets_it_go) {
        Stream s;

        /* Longer than it takes until the stream is open, also under valgrind on a busy machine: what the
         * disk may delay is done before. */
        world.config.idle_timeout = 3 * USEC_PER_SEC;
        prepare();
        add_job("a", JOB_RUNNING, 0);
        write_events("a", 1, 1);
        serve();
        stream_open(&s, "a", NULL);
        expect_progress(&s, 1, 1);
        usleep(4 * USEC_PER_SEC); /* longer than it waits when idle */
        write_events("a", 2, 2);
        expect_progress(&s, 2, 2);
        stream_close(&s);
        ck_assert_int_eq(test_server_wait(&world.server), 0);
        clean_up();
}
END_TEST

START_TEST(a_quiet_stream_gets_a_comment) {
        usec_t begin;
        Stream s;

        start();
        add_job("a", JOB_RUNNING, 0);
        begin = now_monotonic();
        stream_open(&s, "a", NULL);
        ck_assert(stream_read(&s, "\n: "));
        ck_assert_uint_ge(now_monotonic() - begin, 10 * USEC_PER_SEC);
        ck_assert_uint_lt(now_monotonic() - begin, 25 * USEC_PER_SEC);
        stream_close(&s);
        stop();
}
END_TEST

START_TEST(head_of_a_stream) {
        _cleanup_free_ char *type = NULL;
        _cleanup_reply_ TestReply r = {};

        start();
        add_job("a", JOB_RUNNING, 0);
        test_request(&world.server, &r, "HEAD /jobs/a/stream HTTP/1.1\r\nHost: x\r\n\r\n");
        ck_assert_uint_eq(r.status, 200);
        type = test_header(&r, "Content-Type");
        ck_assert_str_eq(type, "text/event-stream; charset=utf-8");
        stop();
}
END_TEST

int run_tests(void);
#define main run_tests
TEST_MAIN("api-sse", the_past_then_what_comes_then_the_end, a_failed_job_ends_with_error_and_complete,
                a_client_that_comes_back_goes_on_where_it_was, a_job_that_was_retried_goes_on_behind_its_end,
                nobody_misses_anything_or_hears_it_twice, a_cursor_that_is_not_known_begins_anew,
                a_job_without_events_ends_all_the_same,
                an_end_that_nobody_wrote_down_is_told_from_the_database, a_long_past_comes_whole,
                a_slow_client_gets_all_and_others_do_not_wait, stopping_ends_streams_without_complete,
                a_client_that_leaves_is_noticed_though_nothing_happens,
                a_stream_keeps_the_daemon_and_the_last_one_lets_it_go, a_quiet_stream_gets_a_comment,
                head_of_a_stream)
#undef main

int main(void) {
        if (!journal_writer_available()) {
                printf("Left out: systemd-journal-remote is not installed.\n");
                return 77;
        }
        return run_tests();
}
