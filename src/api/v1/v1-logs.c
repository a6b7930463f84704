/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-logs.h"

#include <stdio.h>
#include <time.h>

#include "api/http/accept.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/http/request-work.h"
#include "api/job-json.h"
#include "api/job-submit.h"
#include "api/stream/sse-stream.h"
#include "api/v1/v1-page.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "journal/journal-read.h"
#include "store/jobs-page.h"
#include "json/json-table.h"

#define TAIL_MAX 10000u

typedef enum LogLevel {
        LEVEL_DEBUG,
        LEVEL_INFO,
        LEVEL_WARNING,
        LEVEL_ERROR,
        _LEVEL_MAX,
} LogLevel;

static const char *const level_names[_LEVEL_MAX] = {
        [LEVEL_DEBUG] = "debug",
        [LEVEL_INFO] = "info",
        [LEVEL_WARNING] = "warning",
        [LEVEL_ERROR] = "error",
};

static int level_from_string(const char *s) {
        for (int l = 0; l < _LEVEL_MAX; l++)
                if (streq(level_names[l], s))
                        return l;
        return -EINVAL;
}

static LogLevel level_of(const JobEvent *e) {
        return e->kind == EVENT_ERROR || (e->kind == EVENT_STATE && e->state == JOB_FAILED) ? LEVEL_ERROR
                                                                                            : LEVEL_INFO;
}

/* --- the parameters -------------------------------------------------------------------------------- */

typedef struct LogsQuery {
        V1Page page;
        unsigned tail; /* 0: all */
        usec_t since;
        int level;
        bool follow;
} LogsQuery;

const QueryField v1_logs_query[] = {
        V1_PAGE_FIELDS(offsetof(LogsQuery, page)),
        { "tail", QUERY_UNSIGNED, offsetof(LogsQuery, tail), .min = 1, .max = TAIL_MAX,
                        .description = "Only the last ones of the past entries." },
        { "since", QUERY_TIMESTAMP, offsetof(LogsQuery, since),
                        .description = "Only entries behind this time." },
        { "level", QUERY_ENUM, offsetof(LogsQuery, level), .from_string = level_from_string,
                        .expected = "one of debug, info, warning, error",
                        .description = "Only entries of this level or a higher one." },
        { "follow", QUERY_BOOLEAN, offsetof(LogsQuery, follow),
                        .description = "Whether to continue until the job has ended; default true." },
        {},
};

/* --- an entry -------------------------------------------------------------------------------------- */

/* Empty for an entry that is in no phase. */
static const char *phase_of(const JobEvent *e) {
        return job_phase_to_string(e->phase);
}

static json_t *entry_json(const JobEvent *e) {
        return json_pack("{s:o, s:s, s:s?, s:o}", "timestamp", json_time(e->realtime), "level",
                        level_names[level_of(e)], "phase", phase_of(e), "message", json_text(e->message));
}

/* "2026-01-31T10:00:00.204Z info copy: message" */
static json_t *entry_line(const JobEvent *e) {
        _cleanup_free_ char *message = strdup(strempty(e->message)), *line = NULL;
        time_t t = (time_t) (e->realtime / USEC_PER_SEC);
        char stamp[sizeof("2026-01-31T10:00:00")];
        const char *phase = phase_of(e);
        struct tm tm;

        if (!message || !gmtime_r(&t, &tm) || strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
                return NULL;
        line = strprintf("%s.%03uZ %s %s%s%s", stamp,
                        (unsigned) (e->realtime % USEC_PER_SEC / USEC_PER_MSEC), level_names[level_of(e)],
                        strempty(phase), phase ? ": " : "", utf8_replace_control(message, ' '));
        return line ? json_text(line) : NULL;
}

static json_t *progress_json(const JobEvent *e) {
        return json_pack("{s:o, s:s?, s:f, s:o, s:o}", "timestamp", json_time(e->realtime), "phase",
                        phase_of(e), "progress", MAX(e->percent, 0.0), "bytes_done",
                        json_count(e->bytes_done), "bytes_total", json_count(e->bytes_total));
}

/* --- streams --------------------------------------------------------------------------------------- */

static int tell(const char *name, json_t *data, const char **ret_name, json_t **ret_data) {
        if (!data)
                return -ENOMEM;
        *ret_name = name;
        *ret_data = data;
        return 0;
}

static int stream_event(const JobEvent *e, unsigned *percent, const char **ret_name, json_t **ret_data) {
        return e->kind == EVENT_PROGRESS ? tell("progress", progress_json(e), ret_name, ret_data)
                                         : tell("log", entry_json(e), ret_name, ret_data);
}

static int stream_error(const JobEvent *e, unsigned *percent, const char **ret_name, json_t **ret_data) {
        return level_of(e) < LEVEL_ERROR ? 0 : stream_event(e, percent, ret_name, ret_data);
}

static int text_event(const JobEvent *e, unsigned *percent, const char **ret_name, json_t **ret_data) {
        return e->kind == EVENT_PROGRESS ? 0 : tell("log", entry_line(e), ret_name, ret_data);
}

static int text_error(const JobEvent *e, unsigned *percent, const char **ret_name, json_t **ret_data) {
        return level_of(e) < LEVEL_ERROR ? 0 : text_event(e, percent, ret_name, ret_data);
}

static json_t *end_json(const char *job_id, JobState state, unsigned percent, const char *reason) {
        return json_pack("{s:s, s:s, s:o}", "job_id", job_id, "status",
                        job_status_to_string(job_status_of_state(state)), "message", json_text(reason));
}

/* By whether there are errors only. */
static const SseFormat streams[2] = { { stream_event, end_json, end_json },
        { stream_error, end_json, end_json } };
static const SseFormat texts[2] = { { .event = text_event, .is_plain = true },
        { .event = text_error, .is_plain = true } };

/* Removes those that are not asked for. */
static void select_entries(JobEvent **events, size_t *n, const LogsQuery *q) {
        size_t kept = 0, skipped;

        for (size_t i = 0; i < *n; i++)
                if ((int) level_of(events[i]) >= q->level)
                        events[kept++] = events[i];
                else
                        job_event_free(events[i]);
        skipped = q->tail > 0 && kept > q->tail ? kept - q->tail : 0;
        for (size_t i = 0; i < skipped; i++)
                job_event_free(events[i]);
        memmove(events, events + skipped, (kept - skipped) * sizeof(*events));
        *n = kept - skipped;
}

/* --- reading them, in a thread --------------------------------------------------------------------- */

typedef struct LogReading {
        LogsQuery query;
        const SseFormat *formats; /* of a stream; NULL: a page */
        char *directory, *id;
        JobState state;
        char *cursor; /* of a stream: it begins behind it; NULL: with the first entry */
        json_t *page;
} LogReading;

static LogReading *log_reading_free(LogReading *g) {
        if (!g)
                return NULL;
        free(g->directory);
        free(g->id);
        free(g->cursor);
        json_decref(g->page);
        return mfree(g);
}
DEFINE_CLEANUP_FUNC(LogReading *, log_reading_free);

static void destroy_reading(void *userdata) {
        log_reading_free(userdata);
}

/* The entry before the last @tail ones of those that are asked for. */
static int find_start(LogReading *g, JobEvent *const *events, size_t n) {
        size_t wanted = 0;

        for (size_t i = n; i-- > 0;)
                if ((int) level_of(events[i]) >= g->query.level && wanted++ >= g->query.tail)
                        return free_and_strdup(&g->cursor, events[i]->cursor);
        return 0;
}

static json_t *page_json(const LogReading *g, JobEvent *const *events, size_t n) {
        _cleanup_json_ json_t *data = json_array(), *lines = json_array(), *reply = NULL;
        const V1Page *page = &g->query.page;
        size_t from, to;

        v1_page_bounds(page, n, &from, &to);
        for (size_t i = from; i < to; i++)
                if (json_array_append_new(data, entry_json(events[i])) < 0 ||
                                json_array_append_new(lines, entry_line(events[i])) < 0)
                        return NULL;
        reply = json_pack("{s:o, s:s, s:O}", "job_id", json_text(g->id), "status",
                        job_status_to_string(job_status_of_state(g->state)), "lines", lines);
        return reply && v1_page_add(reply, page, json_incref(data), n) >= 0 ? TAKE_PTR(reply) : NULL;
}

static int read_log(void *userdata) {
        JobEvent **events = NULL;
        LogReading *g = userdata;
        size_t n = 0;
        int r = journal_read_log_events(g->directory, g->id, g->query.since, &events, &n);

        if (r < 0)
                return r;
        if (g->formats)
                r = find_start(g, events, n);
        else {
                select_entries(events, &n, &g->query);
                g->page = page_json(g, events, n);
                r = g->page ? 0 : -ENOMEM;
        }
        job_events_free(events, n);
        return r;
}

/* --- the answers ----------------------------------------------------------------------------------- */

static int reply_stream(Request *r, const LogReading *g) {
        const LogsQuery *q = &g->query;

        return request_reply_events_from(r, g->id, &g->formats[q->level > LEVEL_INFO],
                        &(SseStart){ .since = q->since, .once = !q->follow, .cursor = g->cursor });
}

static int reply_log(Request *r, int result, void *userdata) {
        LogReading *g = userdata;

        if (result < 0)
                return result;
        return g->formats ? reply_stream(r, g) : request_reply_json(r, 200, TAKE_PTR(g->page));
}

static int log_reading_new(Request *r, const JobRow *row, const LogsQuery *q, const SseFormat *formats,
                LogReading **ret) {
        _cleanup_(log_reading_freep) LogReading *g = new0(LogReading, 1);
        const char *directory = api_journal_directory(request_api(r));

        if (!g)
                return -ENOMEM;
        g->query = *q;
        g->formats = formats;
        g->state = row->state;
        g->id = strdup(row->id);
        g->directory = directory ? strdup(directory) : NULL;
        if (!g->id || (directory && !g->directory))
                return -ENOMEM;
        *ret = TAKE_PTR(g);
        return 0;
}

static int reply(Request *r, const JobRow *row, const LogsQuery *q, const SseFormat *formats) {
        static const RequestWorkOps ops = { read_log, reply_log, destroy_reading };
        _cleanup_(log_reading_freep) LogReading *g = NULL;
        int k = log_reading_new(r, row, q, formats, &g);

        if (k < 0)
                return k;
        if (formats && q->tail == 0)
                return reply_stream(r, g);
        k = request_work(api_readings(request_api(r)), r, &ops, g);
        if (k >= 0)
                TAKE_PTR(g);
        return k;
}

int v1_get_logs(Request *r) {
        static const char *const types[] = { "text/plain", "text/event-stream", "application/json", NULL };
        static const SseFormat *const formats[] = { texts, streams, NULL };
        _cleanup_(job_row_freep) JobRow *row = NULL;
        LogsQuery q = { .page = V1_PAGE_INIT, .follow = true, .level = LEVEL_INFO };
        int type = accept_choose(request_header(r, "Accept"), types), k = request_query_decode(r, &q);

        if (k >= 0)
                k = job_find(r, request_param(r, "id"), &row);
        if (k < 0)
                return k;
        if (type < 0)
                return request_reply_error(r, MHD_HTTP_NOT_ACCEPTABLE,
                                "Accept: must permit one of text/plain, text/event-stream, "
                                "application/json");
        return reply(r, row, &q, formats[type]);
}

/* --- its schema ------------------------------------------------------------------------------------ */

static const SchemaField entry_fields[] = {
        { "timestamp", SCHEMA_TIMESTAMP },
        { "level", SCHEMA_STRING, .description = "info or error" },
        { "phase", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "message", SCHEMA_STRING },
        {},
};
static const Schema entry_schema = { .name = "LogEntry", .fields = entry_fields };

static const SchemaField progress_fields[] = {
        { "timestamp", SCHEMA_TIMESTAMP },
        { "phase", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "progress", SCHEMA_NUMBER, .description = "0 to 100" },
        { "bytes_done", SCHEMA_INTEGER },
        { "bytes_total", SCHEMA_INTEGER },
        {},
};
static const Schema progress_schema = { .name = "LogProgress", .fields = progress_fields };

static const SchemaField end_fields[] = {
        { "job_id", SCHEMA_STRING },
        { "status", SCHEMA_STRING },
        { "message", SCHEMA_STRING, SCHEMA_NULLABLE },
        {},
};
static const Schema end_schema = { .name = "LogEnd", .fields = end_fields };

static const ReplyEvent log_events[] = { { "log", &entry_schema }, { "progress", &progress_schema },
        { "error", &end_schema }, { "complete", &end_schema }, {} };

static const SchemaField page_fields[] = {
        { "job_id", SCHEMA_STRING },
        { "status", SCHEMA_STRING },
        { "data", SCHEMA_ARRAY, .schema = &entry_schema },
        { "lines", SCHEMA_ARRAY, .description = "The same, as text." },
        { "pagination", SCHEMA_OBJECT, .schema = &v1_pagination_schema },
        {},
};
static const Schema page_schema = { .name = "Log", .fields = page_fields };

const Reply v1_logs_replies[] = {
        { 200, { .type = SCHEMA_STRING, .description = "The entries." }, .content_type = "text/plain" },
        { 200, { .type = SCHEMA_STRING, .description = "The entries." }, .content_type = "text/event-stream",
                        .events = log_events },
        { 200, { .type = SCHEMA_OBJECT, .schema = &page_schema, .description = "The entries." } },
        {},
};
