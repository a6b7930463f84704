/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/epoll.h>
#include <sys/socket.h>

#include "api/api-state.h"
#include "api/http/http-server-state.h"
#include "api/http/reply.h"
#include "api/http/request-state.h"
#include "api/stream/sse-stream.h"
#include "api/stream/sse.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "journal/journal-read.h"
#include "store/jobs.h"
#include "json/json-table.h"

#define SSE_BLOCK ((size_t) 4096)
#define SSE_REPLAY_BATCH ((size_t) 128)

/* The id of a "complete" that the database told: no entry of the journal stands for it. */
#define SSE_END_ID "complete"

/* --- the queue ------------------------------------------------------------------------------------- */

static void sse_stream_wake(SseStream *s) {
        if (!s->suspended)
                return;
        s->suspended = false;
        http_server_resume(s->request->server, s->request->connection);
}

static int sse_stream_fd(SseStream *s) {
        const union MHD_ConnectionInfo *info;

        info = MHD_get_connection_info(s->request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        return info ? info->connect_fd : -EBADF;
}

/* Away with a client that does not keep up: its connection is closed now, not when it feels like reading. */
static void sse_stream_drop(SseStream *s, const char *why) {
        if (s->dropped)
                return;
        log_info("Dropping a client that follows the events of job %s: %s.", s->job_id, why);
        s->dropped = s->ended = true;
        s->queue_begin = s->queue_end = 0;
        (void) shutdown(sse_stream_fd(s), SHUT_RDWR);
        sse_stream_wake(s);
}

static void sse_stream_push(SseStream *s, const char *text, size_t size) {
        if (s->dropped)
                return;

        if (s->queue_begin == s->queue_end)
                s->queue_begin = s->queue_end = 0;
        if (s->queue_end - s->queue_begin + size > SSE_QUEUE_MAX)
                return sse_stream_drop(s, "it does not read fast enough");
        if (s->queue_end + size > s->queue_allocated && s->queue_begin > 0) {
                memmove(s->queue, s->queue + s->queue_begin, s->queue_end - s->queue_begin);
                s->queue_end -= s->queue_begin;
                s->queue_begin = 0;
        }
        if (!GREEDY_REALLOC(s->queue, s->queue_allocated, s->queue_end + size))
                return sse_stream_drop(s, "out of memory");

        memcpy(s->queue + s->queue_end, text, size);
        s->queue_end += size;
        s->last_output = now_monotonic();
}

/* A past that was long is told: a stream that waits needs no room for it. */
static void sse_stream_shrink(SseStream *s) {
        if (s->queue_begin < s->queue_end || s->queue_allocated <= SSE_BLOCK)
                return;
        s->queue = mfree(s->queue);
        s->queue_allocated = s->queue_begin = s->queue_end = 0;
}

/* One event in the form of the standard: the id, what it is, its data. The data is one line: compact
 * JSON. */
static char *event_text(const SseFormat *format, const char *name, json_t *data, const char *cursor) {
        if (format->is_plain)
                return data ? strprintf("%s\n", strempty(json_string_value(data))) : NULL;

        _cleanup_free_ char *json = data
                        ? json_dumps(data, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))
                        : NULL;

        if (!json)
                return NULL;
        return cursor ? strprintf("id: %s\nevent: %s\ndata: %s\n\n", cursor, name, json)
                      : strprintf("event: %s\ndata: %s\n\n", name, json);
}

static void sse_stream_push_event(SseStream *s, const char *name, json_t *data, const char *cursor) {
        _cleanup_free_ char *text = event_text(s->format, name, data, cursor);

        if (!text)
                return sse_stream_drop(s, "out of memory");
        sse_stream_push(s, text, strlen(text));
}

/* --- events ---------------------------------------------------------------------------------------- */

/* The last words. Only "complete" has the id: a client that is cut off between the two hears both again. */
static void sse_stream_finish(SseStream *s, JobState state, const char *reason, const char *cursor) {
        _cleanup_json_ json_t *error = NULL, *complete = NULL;

        s->ended = true;
        if (s->format->is_plain)
                return;
        if (state == JOB_FAILED) {
                error = s->format->error(s->job_id, state, s->percent, reason);
                sse_stream_push_event(s, "error", error, NULL);
        }
        complete = s->format->complete(s->job_id, state, s->percent, reason);
        sse_stream_push_event(s, "complete", complete, cursor);
}

/* A job that was retried has ended before, and the stream goes on behind that. The database is never older
 * than the event. */
static bool sse_event_is_final(SseStream *s, const JobEvent *event) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        Store *store;

        if (event->kind != EVENT_STATE || !job_state_is_terminal(event->state))
                return false;
        if (api_store(request_api(s->request), &store) < 0 || store_job_get(store, s->job_id, &row) < 0)
                return true;
        return event->realtime >= (job_state_is_terminal(row->state) ? row->finished_at : row->updated_at);
}

/* Moves behind the event; false if it stands there already. */
static bool sse_stream_advance(SseStream *s, const SseNews *n) {
        const JobEvent *event = n->event;

        if (!n->has_position)
                return false; /* the journal's own cursors can be read */
        if (s->has_position && !journal_position_after(&n->position, &s->position))
                return false;
        if (free_and_strdup(&s->cursor, event->cursor) < 0) {
                sse_stream_drop(s, "out of memory");
                return false;
        }
        s->position = n->position;
        s->position_time = event->realtime;
        s->has_position = true;
        return true;
}

/* -ENOMEM, with nothing made. */
static int make_text(const SseStream *s, SseNews *n) {
        _cleanup_json_ json_t *data = NULL;
        const char *name = NULL;
        unsigned percent = s->percent;
        char *text = NULL;

        if (n->format == s->format && n->before == s->percent)
                return 0;
        if (s->format->event(n->event, &percent, &name, &data) < 0)
                return -ENOMEM;
        if (name && !(text = event_text(s->format, name, data, n->event->cursor)))
                return -ENOMEM;
        free(n->text);
        n->text = text;
        n->format = s->format;
        n->before = s->percent;
        n->after = percent;
        return 0;
}

static void sse_stream_tell(SseStream *s, SseNews *n) {
        const JobEvent *event = n->event;

        if (s->ended || !sse_stream_advance(s, n))
                return;

        bool final = sse_event_is_final(s, event);
        if (final && !s->format->is_plain)
                return sse_stream_finish(s, event->state, event->message, event->cursor);

        if (make_text(s, n) < 0)
                return sse_stream_drop(s, "out of memory");
        s->percent = n->after;
        if (n->text)
                sse_stream_push(s, n->text, strlen(n->text));
        s->ended = s->ended || final;
}

/* So much waits that no more is added, until the client has taken it. */
static bool sse_stream_is_full(const SseStream *s) {
        return s->queue_end - s->queue_begin >= SSE_QUEUE_MAX / 2;
}

static void sse_stream_event(SseStream *s, SseNews *n) {
        s->replaying = s->replaying || sse_stream_is_full(s);
        if (s->replaying)
                return; /* it is in the journal, and will be read from there */
        sse_stream_tell(s, n);
        sse_stream_wake(s);
}

/* The past is told. If the job has ended and the journal did not say so (it was vacuumed, or the client
 * knows already), the database does. */
static void sse_stream_replayed(SseStream *s) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        Store *store;

        s->replaying = false;
        if (s->ended)
                return;
        if (sse_job_is_settled(request_api(s->request), s->job_id, &row))
                sse_stream_finish(s, row->state, row->reason, SSE_END_ID);
        else if (s->once && api_store(request_api(s->request), &store) >= 0 &&
                        store_job_get(store, s->job_id, &row) >= 0)
                sse_stream_finish(s, row->state, row->reason, NULL);
        else
                s->ended = s->once;
}

/* Reads the next piece of the past into the queue. */
static int sse_stream_replay(SseStream *s) {
        const char *directory = api_journal_directory(request_api(s->request));
        JobEvent **events = NULL;
        size_t n = 0;
        int r;

        r = journal_read_events(directory, s->job_id, s->cursor, s->cursor ? 0 : s->position_time,
                        SSE_REPLAY_BATCH, &events, &n);
        if (r == -EINVAL && s->cursor) {
                /* That entry is gone. If it is the client's own, begin at the beginning; if it was ours, a
                 * moment ago, go on by time. */
                if (s->position_time == 0)
                        s->has_position = false;
                s->cursor = mfree(s->cursor);
                r = journal_read_events(
                                directory, s->job_id, NULL, s->position_time, SSE_REPLAY_BATCH, &events, &n);
        }
        if (r < 0)
                return r;

        size_t told = 0;
        for (; told < n && !sse_stream_is_full(s); told++) {
                SseNews news;

                sse_news_init(&news, events[told]);
                sse_stream_tell(s, &news);
                sse_news_done(&news);
        }
        job_events_free(events, n);

        if (s->ended || (told == n && n < SSE_REPLAY_BATCH))
                sse_stream_replayed(s);
        return 0;
}

static void sse_stream_tick(SseStream *s, usec_t now, bool job_is_settled) {
        static const char comment[] = ": keep-alive\n\n";

        if (s->ended || s->replaying)
                return;

        if (job_is_settled)
                s->replaying = true; /* read what the follower may have missed, then the database's word */
        else if (!s->format->is_plain && (s->peer_closed || now >= s->last_output + SSE_KEEPALIVE))
                sse_stream_push(s, comment, strlen(comment));
        else
                return;
        sse_stream_wake(s);
}

/* --- the connection -------------------------------------------------------------------------------- */

/* libmicrohttpd can send more. */
static ssize_t on_read(void *userdata, uint64_t position, char *buf, size_t max) {
        SseStream *s = userdata;
        size_t n;
        int r;

        while (s->replaying && s->queue_begin == s->queue_end && !s->dropped) {
                r = sse_stream_replay(s);
                if (r < 0) {
                        log_error_errno(r, "Failed to read the events of job %s from the journal: %m",
                                        s->job_id);
                        return MHD_CONTENT_READER_END_WITH_ERROR;
                }
        }

        if (s->dropped)
                return MHD_CONTENT_READER_END_WITH_ERROR;

        n = MIN(s->queue_end - s->queue_begin, max);
        if (n > 0) {
                memcpy(buf, s->queue + s->queue_begin, n);
                s->queue_begin += n;
                sse_stream_shrink(s);
                return (ssize_t) n;
        }
        if (s->ended)
                return MHD_CONTENT_READER_END_OF_STREAM;

        s->suspended = true;
        MHD_suspend_connection(s->request->connection);
        return 0;
}

/* libmicrohttpd does not look at a suspended connection. A client that sends nothing more may have gone, or
 * only closed its half: writing tells. */
static int on_peer_closed(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        SseStream *s = userdata;

        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        s->peer_closed = true;
        if (events & (EPOLLHUP | EPOLLERR) || s->format->is_plain)
                sse_stream_drop(s, "it closed the connection");
        else
                sse_stream_tick(s, now_monotonic(), false);
        return 0;
}

static SseStream *sse_stream_free(SseStream *s) {
        if (!s)
                return NULL;
        sd_event_source_disable_unref(s->watch);
        if (s->request) {
                sse_hub_remove(api_sse(request_api(s->request)), s);
                if (s->request->stream == s)
                        s->request->stream = NULL;
                request_unref(s->request);
        }
        free(s->job_id);
        free(s->cursor);
        free(s->queue);
        free(s);
        return NULL;
}
DEFINE_CLEANUP_FUNC(SseStream *, sse_stream_free);

static void on_free(void *userdata) {
        sse_stream_free(userdata);
}

static void sse_stream_detach(SseStream *s) {
        s->watch = sd_event_source_disable_unref(s->watch);
        s->ended = true;
        s->suspended = false;
        sse_hub_remove(api_sse(request_api(s->request)), s);
}

static void sse_stream_end(SseStream *s) {
        s->ended = true;
        s->replaying = false;
        sse_stream_wake(s);
}

static const SseStreamOps stream_ops = {
        .event = sse_stream_event,
        .tick = sse_stream_tick,
        .end = sse_stream_end,
};

static void on_over(void *stream) {
        sse_stream_detach(stream);
}

static void on_refuse(void *stream, const char *why) {
        sse_stream_end(stream);
}

static const RequestStreamOps request_ops = { .over = on_over, .refuse = on_refuse };

static int sse_stream_new(Request *r, const char *job_id, const SseFormat *format, const SseStart *start,
                SseStream **ret) {
        static const char hello[] = "retry: 1000\n\n"; /* come back after a second if we are restarted */
        const char *last = request_header(r, "Last-Event-ID");
        _cleanup_(sse_stream_freep) SseStream *s = NULL;
        int k;

        last = last ? last : start->cursor;
        s = new0(SseStream, 1);
        if (!s)
                return -ENOMEM;
        s->ops = &stream_ops;
        s->format = format;
        s->replaying = true;
        s->once = start->once;
        s->job_id = strdup(job_id);
        if (!s->job_id)
                return -ENOMEM;

        if (last && journal_position_parse(last, &s->position) >= 0) {
                s->has_position = true;
                k = free_and_strdup(&s->cursor, last);
                if (k < 0)
                        return k;
        } else if (start->since > 0)
                s->position_time = start->since + 1;

        if (!format->is_plain)
                sse_stream_push(s, hello, strlen(hello));
        s->request = request_ref(r);
        *ret = TAKE_PTR(s);
        return 0;
}

/* True if the client has heard the end of the job, and nothing came after it. */
static bool client_knows_the_end(Request *r, const char *job_id, const char *last) {
        const char *directory = api_journal_directory(request_api(r));
        _cleanup_(job_event_freep) JobEvent *event = NULL;
        _cleanup_(job_row_freep) JobRow *row = NULL;
        JobEvent **later = NULL;
        Store *store;
        size_t n = 0;

        if (api_store(request_api(r), &store) < 0 || store_job_get(store, job_id, &row) < 0)
                return false;
        if (!job_state_is_terminal(row->state))
                return false;
        if (streq(last, SSE_END_ID))
                return true;
        if (journal_read_event(directory, last, &event) < 0)
                return false;
        if (!streq(event->job_id, job_id) || event->kind != EVENT_STATE ||
                        !job_state_is_terminal(event->state))
                return false;
        if (journal_read_events(directory, job_id, last, 0, 1, &later, &n) < 0)
                return false;
        job_events_free(later, n);
        return n == 0;
}

int request_reply_events(Request *r, const char *job_id, const SseFormat *format) {
        return request_reply_events_from(r, job_id, format, &(SseStart){});
}

int request_reply_events_from(
                Request *r, const char *job_id, const SseFormat *format, const SseStart *start) {
        const char *type =
                        format->is_plain ? "text/plain; charset=utf-8" : "text/event-stream; charset=utf-8";
        const char *last = request_header(r, "Last-Event-ID");
        _cleanup_(sse_stream_freep) SseStream *s = NULL;
        struct MHD_Response *response;
        int k;

        if (r->answered || !r->connection)
                return 0;
        /* An EventSource connects again whenever a stream ends, until it gets this (WHATWG HTML, 9.2.3). */
        if (last && client_knows_the_end(r, job_id, last))
                return request_reply_empty(r, MHD_HTTP_NO_CONTENT);
        if (r->is_head)
                return request_reply_text(r, MHD_HTTP_OK, type, "");

        k = sse_stream_new(r, job_id, format, start, &s);
        if (k < 0)
                return k;
        k = sse_hub_add(api_sse(request_api(r)), job_id, s);
        if (k < 0)
                return log_error_errno(k, "Failed to follow the journal: %m");
        k = sd_event_add_io(api_event(request_api(r)), &s->watch, sse_stream_fd(s), EPOLLRDHUP,
                        on_peer_closed, s);
        if (k < 0)
                return k;

        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, SSE_BLOCK, on_read, s, on_free);
        if (!response)
                return -ENOMEM;
        r->stream = TAKE_PTR(s);
        r->stream_ops = &request_ops;
        api_request_streams(request_api(r), r);
        (void) MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
        request_answer(r, MHD_HTTP_OK, response);
        return 0;
}
