/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Logs of jobs in the three forms of v1: what is past, what comes, and the end.
 *
 * weight: 0.2 */

#include <sys/socket.h>

#include "api/http/accept.h"
#include "unit/lib/v1-world.h"
#include "json/json-table.h"

static void add_job(World *w, const char *id, JobState state) {
        world_add_job(w, id, "{}", now_realtime() - 60 * USEC_PER_SEC, state);
}

static void world_start(World *w) {
        world_make(w, SCOPE_READ);
        add_job(w, "done", JOB_FAILED);
        journal_write_state(&w->writer, "done", "RUNNING", "The unit was started");
        journal_write_progress(&w->writer, "done", NULL, "10 percent");
        journal_write_progress(&w->writer, "done", NULL, "20 percent");
        journal_write_state(&w->writer, "done", "FAILED", "The disk\tis full");
        add_job(w, "runs", JOB_RUNNING);
        journal_write_state(&w->writer, "runs", "QUEUED", "Waits");
        journal_write_state(&w->writer, "runs", "RUNNING", "Goes on");
        world_end_journal(w);
        world_serve(w);
}

static char *ask(World *w, const char *path, const char *accept, unsigned status) {
        _cleanup_reply_ TestReply r = {};

        test_request(&w->server, &r,
                        "GET /api/v1/jobs/%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
                        "%s%s%s\r\n",
                        path, w->key.text, accept ? "Accept: " : "", strempty(accept), accept ? "\r\n" : "");
        ck_assert_msg(r.status == status, "%s: %u: %s", path, r.status, r.body);
        return TAKE_PTR(r.body);
}

/* The lines without their times. */
static void assert_lines(const char *text, const char *wanted) {
        _cleanup_free_ char *copy = strdup(text), *joined = NULL;
        _cleanup_strv_free_ char **lines = NULL;
        char *rest = copy;

        for (const char *line; (line = strsep(&rest, "\n")) && *line;) {
                ck_assert_uint_gt(strlen(line), strlen("2026-01-31T10:00:00.204Z "));
                ck_assert_int_eq(line[10], 'T');
                ck_assert(startswith(line + 23, "Z "));
                ck_assert_int_eq(strv_extend(&lines, line + strlen("2026-01-31T10:00:00.204Z ")), 0);
        }
        joined = strv_join(lines, "|");
        ck_assert_str_eq(joined, wanted);
}

START_TEST(text_of_a_job_that_has_ended) {
        static const struct {
                const char *query, *wanted;
        } cases[] = {
                { "", "info The unit was started|error The disk is full" },
                { "?tail=1", "error The disk is full" },
                { "?tail=7", "info The unit was started|error The disk is full" },
                { "?level=error", "error The disk is full" },
                { "?level=warning&tail=1", "error The disk is full" },
                { "?since=2100-01-01T00:00:00Z", "" },
        };
        _cleanup_world_ World w;

        world_start(&w);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *path = strprintf("done/logs%s", cases[i].query),
                                    *text = ask(&w, path, i % 2 ? "*/*" : NULL, 200);

                assert_lines(text, cases[i].wanted);
        }
        free(ask(&w, "nothing/logs", NULL, 404));
        free(ask(&w, "done/logs", "image/png", 406));
        free(ask(&w, "done/logs?tail=0", NULL, 400));
        free(ask(&w, "done/logs?level=loud", NULL, 400));
}
END_TEST

START_TEST(text_of_a_job_that_runs) {
        _cleanup_reply_ TestReply r = {};
        _cleanup_world_ World w;
        int fd;

        world_start(&w);
        _cleanup_free_ char *past = ask(&w, "runs/logs?follow=false", NULL, 200);
        assert_lines(past, "info Waits|info Goes on");
        fd = test_connect(&w.server);
        test_send(fd, "GET /jobs/runs/logs?tail=3 HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %s\r\n\r\n",
                        w.key.text);
        const JobTransition end = {
                .from = JOB_RUNNING, .to = JOB_COMPLETED, .timestamp = now_realtime(), .reason = "Completed"
        };
        ck_assert_int_eq(store_job_transition(w.store, "runs", &end, 1), 0);
        journal_writer_start(&w.writer, w.journal);
        journal_write_state(&w.writer, "runs", "COMPLETED", "Completed");
        journal_writer_stop(&w.writer);
        test_read_reply(fd, &r);
        ck_assert_uint_eq(r.status, 200);
        _cleanup_free_ char *type = test_header(&r, "Content-Type");
        ck_assert_str_eq(type, "text/plain; charset=utf-8");
        assert_lines(r.body, "info Waits|info Goes on|info Completed");
        close(fd);
}
END_TEST

START_TEST(events) {
        _cleanup_world_ World w;

        world_start(&w);
        _cleanup_free_ char *text = ask(&w, "done/logs", "text/event-stream, text/plain;q=0.5", 200),
                            *some = ask(&w, "runs/logs?follow=false", "text/event-stream", 200);
        const char *at = text;
        static const char *const wanted[] = { "event: log\ndata: {", "\"message\":\"The unit was started\"",
                "event: progress\n", "event: progress\n", "event: error\n", "event: complete\n",
                "\"status\":\"failed\"" };

        for (size_t i = 0; i < ELEMENTSOF(wanted); i++) {
                at = strstr(at, wanted[i]);
                ck_assert_msg(at, "no %s in %s", wanted[i], text);
                at += strlen(wanted[i]);
        }
        ck_assert_ptr_nonnull(strstr(text, "id: s="));
        ck_assert_ptr_nonnull(strstr(some, "\"status\":\"running\""));
}
END_TEST

START_TEST(a_page) {
        const char *status, *level, *message, *line;
        _cleanup_world_ World w;
        json_int_t total;
        int more;

        world_start(&w);
        _cleanup_free_ char *text = ask(&w, "done/logs?limit=1&offset=1", "application/json", 200);
        _cleanup_json_ json_t *page = json_loads(text, 0, NULL);
        ck_assert_int_eq(json_unpack(page, "{s:s, s:[{s:s, s:n, s:s}!], s:[s!], s:{s:I, s:b}}", "status",
                                         &status, "data", "level", &level, "phase", "message", &message,
                                         "lines", &line, "pagination", "total", &total, "has_more", &more),
                        0);
        ck_assert_str_eq(status, "failed");
        ck_assert_str_eq(level, "error");
        ck_assert_str_eq(message, "The disk\tis full");
        ck_assert_ptr_nonnull(strstr(line, "error The disk is full"));
        ck_assert(total == 2 && !more);
        _cleanup_free_ char *behind = ask(&w, "done/logs?offset=9", "application/json", 200);
        ck_assert_ptr_nonnull(strstr(behind, "\"data\":[]"));
}
END_TEST

START_TEST(what_clients_prefer) {
        static const char *const types[] = { "text/plain", "text/event-stream", "application/json", NULL };
        static const struct {
                const char *header;
                int wanted;
        } cases[] = {
                { NULL, 0 },
                { "", 0 },
                { "*/*", 0 },
                { "text/*", 0 },
                { "application/json", 2 },
                { "APPLICATION/JSON ; charset=utf-8", 2 },
                { "text/html, application/xhtml+xml, */*;q=0.8", 0 },
                { "text/plain;q=0.5, text/event-stream;q=0.9", 1 },
                { "text/*;q=0.9, text/plain;q=0.1, application/json;q=0.5", 1 },
                { "*/*, text/plain;q=0, text/event-stream;q=0", 2 },
                { " application/json;q=0.001 , image/png", 2 },
                { "application/json;q=0", -ENOENT },
                { "image/png", -ENOENT },
                { "text/plain;q=1.5", -ENOENT },
                { "text/plain;q=", -ENOENT },
                { ",,;, text", -ENOENT },
                { "application/json;version=1;q=0.4, text/plain;q=0.3", 2 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int r = accept_choose(cases[i].header, types);

                ck_assert_msg(r == cases[i].wanted, "%s: %d", strna(cases[i].header), r);
        }
}
END_TEST

int run_tests(void);
#define main run_tests
TEST_MAIN("v1-logs", text_of_a_job_that_has_ended, text_of_a_job_that_runs, events, a_page,
                what_clients_prefer)
#undef main

int main(void) {
        if (!journal_writer_available()) {
                printf("Left out: systemd-journal-remote is not installed.\n");
                return 77;
        }
        return run_tests();
}
