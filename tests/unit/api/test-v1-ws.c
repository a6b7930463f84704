/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The WebSocket of v1: tokens and tickets in the query, what comes first, updates, subscriptions.
 *
 * weight: 0.2 */

#include <sys/socket.h>

#include "api/access/ticket.h"
#include "api/v1/v1-subscription.h"
#include "store/schedules.h"
#include "store/uploads.h"
#include "unit/lib/v1-world.h"
#include "unit/lib/ws-client.h"

static void add_job(World *w, const char *id) {
        world_add_job(w, id, "{\"source\":{\"type\":\"file\",\"path\":\"/srv/web.vmdk\"}}", now_realtime(),
                        JOB_RUNNING);
}

static void world_start(World *w) {
        world_make(w, SCOPE_SUBMIT);
        world_serve(w);
}

/* The status of a handshake; with 101, @c may be NULL for one that is closed at once. */
static unsigned open_socket(World *w, const char *path, WsClient *c) {
        _cleanup_reply_ TestReply r = {};
        WsClient client = { .fd = test_connect(&w->server) };

        test_send(client.fd, "GET %s HTTP/1.1\r\nHost: localhost\r\n" WS_UPGRADE WS_KEY "\r\n", path);
        test_read_reply_full(client.fd, true, &r);
        if (c)
                *c = client;
        else
                ws_client_close(&client);
        return r.status;
}

static void connect_client(World *w, WsClient *c) {
        _cleanup_free_ char *path = strprintf("/ws?token=%s", w->key.text);

        ck_assert_uint_eq(open_socket(w, path, c), 101);
}

static json_t *next_message(WsClient *c, char **ret_type) {
        WsFrame f;

        while (ws_client_read_frame(c, &f)) {
                json_t *m = f.first == (WS_FIN | WS_TEXT) ? json_loadb((char *) f.payload, f.size, 0, NULL)
                                                          : NULL;
                json_t *data = json_incref(json_object_get(m, "data"));

                ws_frame_done(&f);
                if (!m)
                        continue;
                *ret_type = strdup(json_string_value(json_object_get(m, "type")));
                json_decref(m);
                return data;
        }
        ck_abort_msg("the connection has ended");
}

/* The data of the next message of a type; others are passed over, but none of @never may come. */
static json_t *next_of(WsClient *c, const char *type, const char *never) {
        for (;;) {
                _cleanup_free_ char *is = NULL;
                json_t *data = next_message(c, &is);

                ck_assert_msg(!never || !streq(is, never), "%s", is);
                if (streq(is, type))
                        return data;
                json_decref(data);
        }
}

START_TEST(first_the_jobs_then_the_status_then_metrics) {
        _cleanup_free_ char *first = NULL, *second = NULL;
        _cleanup_world_ World w;
        const char *id, *name;
        json_int_t running;
        WsClient c;

        world_start(&w);
        add_job(&w, "a");
        connect_client(&w, &c);
        _cleanup_json_ json_t *jobs = next_message(&c, &first), *status = next_message(&c, &second),
                              *metrics = next_of(&c, "metrics", NULL);
        ck_assert_str_eq(first, "jobs");
        ck_assert_str_eq(second, "status");
        ck_assert_int_eq(json_unpack(jobs, "[{s:s, s:s}!]", "id", &id, "vm_name", &name), 0);
        ck_assert_str_eq(id, "a");
        ck_assert_str_eq(name, "web");
        ck_assert_int_eq(json_unpack(status, "{s:I}", "running", &running), 0);
        ck_assert_int_eq(running, 1);
        ck_assert_ptr_nonnull(json_object_get(metrics, "cpu_percent"));
        ck_assert_ptr_nonnull(json_object_get(metrics, "load"));
        ws_client_close(&c);
}
END_TEST

START_TEST(updates_go_to_those_who_want_them) {
        _cleanup_world_ World w;
        WsClient all, one, none;

        world_start(&w);
        add_job(&w, "a");
        add_job(&w, "b");
        connect_client(&w, &all);
        connect_client(&w, &one);
        connect_client(&w, &none);
        ws_client_send(&one, "{\"type\":\"subscribe\",\"topics\":[\"jobs\"],\"job_ids\":[\"b\"]}");
        ws_client_send(&none, "{\"type\":\"subscribe\",\"topics\":[\"metrics\"]}");
        /* what is wrong is answered, so the messages before it have been read */
        ws_client_send(&one, "{\"type\":\"leave\"}");
        ws_client_send(&none, "[]");
        json_decref(next_of(&one, "error", "job_update"));
        json_decref(next_of(&none, "error", "job_update"));

        journal_write_progress(&w.writer, "a", NULL, "goes on");
        journal_write_progress(&w.writer, "b", NULL, "goes on");
        _cleanup_json_ json_t *a = next_of(&all, "job_update", NULL), *b = next_of(&all, "job_update", NULL),
                              *only = next_of(&one, "job_update", "metrics"),
                              *other = next_of(&none, "metrics", "job_update");
        ck_assert_str_eq(json_string_value(json_object_get(a, "id")), "a");
        ck_assert_str_eq(json_string_value(json_object_get(b, "id")), "b");
        ck_assert_str_eq(json_string_value(json_object_get(only, "id")), "b");
        ck_assert_ptr_nonnull(other);
        ws_client_close(&all);
        ws_client_close(&one);
        ws_client_close(&none);
}
END_TEST

static void add_upload(World *w, const char *id, const char *owner) {
        const UploadRow row = { .id = (char *) id,
                .owner = (char *) owner,
                .filename = (char *) "web.vmdk",
                .size = 25,
                .chunk_size = 10,
                .created_at = now_realtime(),
                .updated_at = now_realtime() };

        ck_assert_int_eq(store_upload_insert(w->store, &row), 0);
}

static void assert_upload(WsClient *c, const char *id, const char *status, json_int_t bytes) {
        _cleanup_json_ json_t *upload = next_of(c, "upload_update", NULL);
        const char *is_id, *is_status;
        json_int_t is_bytes;
        json_t *chunks;

        ck_assert_int_eq(
                        json_unpack(upload, "{s:s, s:s, s:I, s:o}", "upload_id", &is_id, "status",
                                        &is_status, "received_bytes", &is_bytes, "received_chunks", &chunks),
                        0);
        ck_assert_str_eq(is_id, id);
        ck_assert_str_eq(is_status, status);
        ck_assert_int_eq(is_bytes, bytes);
        ck_assert_uint_eq(json_array_size(chunks), (size_t) (bytes + 9) / 10);
}

START_TEST(uploads_are_told_to_their_owner) {
        _cleanup_(upload_row_freep) UploadRow *row = NULL;
        _cleanup_free_ char *owner = NULL;
        _cleanup_world_ World w;
        WsClient c;

        world_start(&w);
        owner = strprintf("key:%s", w.key.id.text);
        add_upload(&w, "up-before", owner);
        connect_client(&w, &c);
        json_decref(next_of(&c, "status", NULL));
        add_upload(&w, "up-other", "key:other");
        add_upload(&w, "up-mine", owner);
        assert_upload(&c, "up-mine", "open", 0);
        ck_assert_int_eq(store_upload_put_chunk(w.store, "up-other", 0, now_realtime()), 0);
        ck_assert_int_eq(store_upload_put_chunk(w.store, "up-mine", 2, now_realtime()), 0);
        assert_upload(&c, "up-mine", "open", 5);
        ck_assert_int_eq(store_upload_get(w.store, "up-mine", &row), 0);
        row->state = UPLOAD_COMPLETED;
        ck_assert_int_eq(store_upload_update(w.store, row), 0);
        assert_upload(&c, "up-mine", "completed", 5);
        ws_client_close(&c);
}
END_TEST

static char *get_ticket(World *w) {
        _cleanup_reply_ TestReply r = {};

        test_request(&w->server, &r,
                        "POST /api/v1/auth/ticket HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %s\r\n"
                        "Content-Length: 0\r\n\r\n",
                        w->key.text);
        ck_assert_msg(r.status == 200, "%u: %s", r.status, r.body);
        _cleanup_json_ json_t *body = json_loads(r.body, 0, NULL);
        ck_assert_int_eq(json_integer_value(json_object_get(body, "expires_in")), 60);
        return strdup(json_string_value(json_object_get(body, "ticket")));
}

START_TEST(who_may) {
        _cleanup_world_ World w;

        world_start(&w);
        _cleanup_free_ char *ticket = get_ticket(&w), *other = get_ticket(&w),
                            *path = strprintf("/api/v1/ws?ticket=%s", ticket),
                            *elsewhere = strprintf("/api/v1/jobs?ticket=%s", other),
                            *key = strprintf("/api/v1/jobs?token=%s", w.key.text);
        ck_assert_uint_eq(open_socket(&w, "/ws", NULL), 401);
        ck_assert_uint_eq(open_socket(&w, "/ws?token=", NULL), 401);
        ck_assert_uint_eq(open_socket(&w, "/ws?token=hyps_nothing", NULL), 401);
        ck_assert_uint_eq(open_socket(&w, "/ws?ticket=abc", NULL), 401);
        ck_assert_str_ne(ticket, other);
        ck_assert_uint_eq(open_socket(&w, path, NULL), 101);
        ck_assert_uint_eq(open_socket(&w, path, NULL), 401); /* once */
        ck_assert_uint_eq(open_socket(&w, elsewhere, NULL), 401); /* other paths have no tickets */
        ck_assert_uint_eq(open_socket(&w, key, NULL), 401);
}
END_TEST

START_TEST(tickets_end) {
        Tickets *t = NULL;
        char *one = NULL, *two = NULL, *token = NULL;

        ck_assert_int_eq(tickets_new(&t), 0);
        ck_assert_uint_eq(tickets_gone_at(t), 0);
        ck_assert_int_eq(tickets_make(t, "a", 1000, &one), 0);
        ck_assert_int_eq(tickets_make(t, "b", 2000, &two), 0);
        ck_assert_uint_eq(tickets_gone_at(t), 2000 + TICKET_LIFETIME);
        ck_assert_uint_eq(strlen(one), 64);
        ck_assert_int_eq(tickets_take(t, one, 1000 + TICKET_LIFETIME, &token), -ENOENT);
        ck_assert_int_eq(tickets_take(t, two, 1999 + TICKET_LIFETIME, &token), 0);
        ck_assert_str_eq(token, "b");
        ck_assert_uint_eq(tickets_gone_at(t), 0);
        free(token);
        free(one);
        ck_assert_int_eq(tickets_make(t, "c", 0, &one), 0);
        for (unsigned i = 0; i < TICKETS_MAX; i++) {
                free(two);
                ck_assert_int_eq(tickets_make(t, "d", 0, &two), 0);
        }
        ck_assert_int_eq(tickets_take(t, one, 1, &token), -ENOENT); /* the oldest one of too many */
        ck_assert_int_eq(tickets_take(t, two, 1, &token), 0);
        free(token);
        free(one);
        free(two);
        tickets_free(t);
}
END_TEST

START_TEST(subscriptions) {
        static const struct {
                const char *text;
                uint32_t topics;
                size_t n_ids;
                const char *error;
        } cases[] = {
                { "{\"type\":\"subscribe\"}", 31, 0, NULL },
                { "{\"type\":\"subscribe\",\"topics\":[],\"job_ids\":[\"a\"]}", 0, 1, NULL },
                { "{\"type\":\"subscribe\",\"topics\":[\"alerts\",\"jobs\"]}", 5, 0, NULL },
                { "{\"topics\":[]}", 0, 0, "type" },
                { "{\"type\":\"subscribe\",\"topics\":[\"weather\"]}", 0, 0, "topics" },
                { "{\"type\":\"subscribe\",\"job_ids\":5}", 0, 0, "job_ids" },
                { "hello", 0, 0, "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(json_errors_done) JsonErrors errors = {};
                V1Subscription s = {};
                int r = v1_subscription_decode(cases[i].text, strlen(cases[i].text), &s, &errors);

                ck_assert_msg(r == (cases[i].error ? -EBADMSG : 0), "%s: %d", cases[i].text, r);
                if (cases[i].error) {
                        ck_assert_str_eq(errors.errors[0].field, cases[i].error);
                        continue;
                }
                ck_assert_uint_eq(s.topics, cases[i].topics);
                ck_assert_uint_eq(strv_length(s.job_ids), cases[i].n_ids);
                v1_subscription_done(&s);
        }
}
END_TEST

int run_tests(void);
#define main run_tests
TEST_MAIN("v1-ws", first_the_jobs_then_the_status_then_metrics, updates_go_to_those_who_want_them,
                uploads_are_told_to_their_owner, who_may, tickets_end, subscriptions)
#undef main

int main(void) {
        if (!journal_writer_available()) {
                printf("Left out: systemd-journal-remote is not installed.\n");
                return 77;
        }
        return run_tests();
}
