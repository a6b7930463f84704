/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-carbon.h"

#include "api/api-state.h"
#include "api/bus-client.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/job-submit.h"
#include "api/metrics.h"
#include "api/v1/v1-carbon-json.h"
#include "basic/string-util.h"
#include "dialect/carbon-json.h"
#include "shared/error-table.h"
#include "spec/carbon-spec.h"

#define THRESHOLD_DEFAULT 200.0
#define SIZE_MAX_GB 1e9
#define HOURS_MAX 72u

/* A request that waits for the data. */
typedef struct Question {
        CarbonAsk ask;
        json_t *(*make)(const CarbonData *d, const CarbonAsk *a, usec_t now);
        bool needs_now; /* there is no reply without the current intensity */
} Question;

static void question_free(void *userdata) {
        Question *q = userdata;

        carbon_ask_done(&q->ask);
        free(q);
}

static Question *question_new(Request *r) {
        Question *q = new0(Question, 1);

        if (q)
                request_set_userdata(r, q, question_free);
        return q;
}

static int reply_with(Request *r, const Question *q, const CarbonData *d) {
        usec_t now = now_realtime();

        if (q->ask.zone && !streq(q->ask.zone, d->zone))
                return request_reply_error(r, 400, "zone: must be \"%s\", as in the configuration", d->zone);
        if (q->needs_now && !carbon_data_at(d, now))
                return request_reply_error(r, 503, "The carbon source has no value for now.");
        return request_reply_json(r, 200, q->make(d, &q->ask, now));
}

void v1_carbon_note(Request *r, const CarbonData *d) {
        const CarbonPoint *p = carbon_data_at(d, now_realtime());

        if (p)
                metrics_note_carbon(request_api(r)->metrics, d->zone, p->intensity, p->to);
}

static int on_data(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_(carbon_data_freep) CarbonData *d = NULL;
        _cleanup_free_ char *why = NULL;
        const char *text;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = sd_bus_message_read(reply, "st", &text, NULL);
        if (k >= 0)
                k = carbon_data_decode(text, strlen(text), &d, &why);
        if (k < 0)
                return k;
        v1_carbon_note(r, d);
        return reply_with(r, userdata, d);
}

static int ask(Request *r, Question *q) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = carbon_call_new(r, "GetData", &m);

        return k < 0 ? k : manager_call(r, m, on_data, q);
}

/* --- queries --------------------------------------------------------------------------------------- */

typedef struct Query {
        const char *zone, *duration;
        unsigned hours, limit, max_intensity;
        usec_t deadline;
} Query;

const QueryField v1_carbon_intensity_parameters[] = {
        { "zone", QUERY_STRING, offsetof(Query, zone), .max = CARBON_ZONE_MAX,
                        .description = "Must be the one of the configuration." },
        {},
};

const QueryField v1_carbon_schedule_parameters[] = {
        { "zone", QUERY_STRING, offsetof(Query, zone), .max = CARBON_ZONE_MAX,
                        .description = "Must be the one of the configuration." },
        { "hours", QUERY_UNSIGNED, offsetof(Query, hours), .min = 1, .max = HOURS_MAX,
                        .description = "How far to look; default 24." },
        { "duration", QUERY_STRING, offsetof(Query, duration), .max = 8,
                        .description = "Minutes of a window, or hours as in 2h; default 60." },
        { "limit", QUERY_UNSIGNED, offsetof(Query, limit), .min = 1, .max = 24,
                        .description = "How many windows at most; default 5." },
        { "max_intensity", QUERY_UNSIGNED, offsetof(Query, max_intensity), .min = CARBON_LIMIT_MIN,
                        .max = CARBON_LIMIT_MAX, .description = "The average of a window is at most this." },
        { "deadline", QUERY_TIMESTAMP, offsetof(Query, deadline),
                        .description = "No window begins after this." },
        {},
};

static int set_zone(Question *q, const char *zone) {
        return isempty(zone) ? 0 : free_and_strdup(&q->ask.zone, zone);
}

static int read_query(Request *r, Question *q) {
        Query query = { .hours = 24, .limit = 5, .duration = "60" };
        int k = request_query_decode(r, &query);

        if (k < 0)
                return k;
        if (carbon_duration(query.duration, &q->ask.duration) < 0)
                return request_reply_error(
                                       r, 400, "duration: must be 15 to 1440 minutes, or hours as in 2h"),
                       -EINVAL;
        q->ask.hours = query.hours;
        q->ask.limit = query.limit;
        q->ask.max_intensity = query.max_intensity;
        q->ask.deadline = query.deadline;
        return set_zone(q, query.zone);
}

int v1_carbon_intensity(Request *r) {
        Question *q = question_new(r);
        int k = q ? read_query(r, q) : -ENOMEM;

        if (k < 0)
                return k;
        q->make = carbon_intensity_json;
        q->needs_now = true;
        return ask(r, q);
}

int v1_carbon_schedule(Request *r) {
        Question *q = question_new(r);
        int k = q ? read_query(r, q) : -ENOMEM;

        if (k < 0)
                return k;
        q->make = carbon_schedule_json;
        return ask(r, q);
}

int v1_carbon_zones(Request *r) {
        Question *q = question_new(r);

        if (!q)
                return -ENOMEM;
        q->make = carbon_zones_json;
        return ask(r, q);
}

/* --- bodies ---------------------------------------------------------------------------------------- */

typedef struct Body {
        char *zone, *job_id, *start_time, *end_time;
} Body;

static const JsonField body_fields[] = {
        { "zone", JSON_FIELD_STRING, offsetof(Body, zone), .flags = JSON_NULLABLE, .max = CARBON_ZONE_MAX },
        { "job_id", JSON_FIELD_STRING, offsetof(Body, job_id), .flags = JSON_NULLABLE, .max = 128 },
        { "start_time", JSON_FIELD_STRING, offsetof(Body, start_time), .flags = JSON_NULLABLE },
        { "end_time", JSON_FIELD_STRING, offsetof(Body, end_time), .flags = JSON_NULLABLE },
        { "threshold", JSON_FIELD_KNOWN },
        { "data_size_gb", JSON_FIELD_KNOWN },
        { "duration_hours", JSON_FIELD_KNOWN },
        {},
};

/* A number of the body. */
static int take_number(
                json_t *body, const char *key, double min, double max, double *p, JsonErrors *errors) {
        json_t *value = json_object_get(body, key);
        double n = json_number_value(value);

        if (!value || json_is_null(value))
                return *p > 0 ? 0 : json_errors_add(errors, key, "must be given");
        if (!json_is_number(value) || !(n >= min && n <= max))
                return json_errors_add(errors, key, "must be a number, %g to %g", min, max);
        *p = n;
        return 0;
}

static int take_times(const Body *b, CarbonAsk *a, JsonErrors *errors) {
        if (!b->start_time || parse_rfc3339(b->start_time, &a->start) < 0)
                return json_errors_add(errors, "start_time", "must be a time, like 2025-06-15T10:30:00Z");
        if (!b->end_time || parse_rfc3339(b->end_time, &a->end) < 0 || a->end <= a->start)
                return json_errors_add(errors, "end_time", "must be a time after start_time");
        return 0;
}

/* What is in a body depends on @make. */
static int take_body(Question *q, Body *b, json_t *body, JsonErrors *errors) {
        double hours = 0;
        int r = set_zone(q, b->zone);

        q->ask.max_intensity = THRESHOLD_DEFAULT;
        if (r >= 0 && q->make == carbon_status_json)
                return take_number(
                                body, "threshold", 0, CARBON_INTENSITY_MAX, &q->ask.max_intensity, errors);
        q->ask.max_intensity = 0;
        if (r >= 0)
                r = take_number(body, "data_size_gb", 0, SIZE_MAX_GB, &q->ask.size_gb, errors);
        if (r >= 0 && q->make == carbon_estimate_json) {
                r = take_number(body, "duration_hours", 0.01, 24, &hours, errors);
                q->ask.duration = (usec_t) (hours * (double) USEC_PER_HOUR);
                return r;
        }
        if (r >= 0 && isempty(b->job_id))
                r = json_errors_add(errors, "job_id", "must be given");
        q->ask.job_id = TAKE_PTR(b->job_id);
        return r < 0 ? r : take_times(b, &q->ask, errors);
}

static int read_body(Request *r, Question *q) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *body = NULL;
        _cleanup_free_ char *text = NULL;
        Body b = {};
        int k = request_json_object(r, &body);

        if (k >= 0)
                k = json_table_decode(body_fields, body, "", &b, &errors);
        if (k >= 0)
                k = take_body(q, &b, body, &errors);
        json_table_done(body_fields, &b);
        if (k < 0 || errors.n_errors == 0)
                return k;
        text = json_errors_text(&errors);
        return text ? (request_reply_error(r, 400, "%s", text), -EINVAL) : -ENOMEM;
}

static int answer_body(Request *r, json_t *(*make)(const CarbonData *, const CarbonAsk *, usec_t)) {
        Question *q = question_new(r);
        int k;

        if (!q)
                return -ENOMEM;
        q->make = make;
        q->needs_now = true;
        q->ask.hours = 24;
        q->ask.limit = 1;
        k = read_body(r, q);
        return k < 0 ? k : ask(r, q);
}

int v1_carbon_status(Request *r) {
        return answer_body(r, carbon_status_json);
}

int v1_carbon_estimate(Request *r) {
        return answer_body(r, carbon_estimate_json);
}

int v1_carbon_report(Request *r) {
        return answer_body(r, carbon_report_json);
}

/* --- a job's wait ---------------------------------------------------------------------------------- */

static int on_released(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        if (error)
                return request_reply_bus_error(r, error);
        return request_reply_json(r, 200,
                        json_pack("{s:s, s:s}", "id", request_param(r, "id"), "message",
                                        "The job does not wait any more"));
}

int v1_release_job(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(job_row_freep) JobRow *row = NULL;
        int k = job_find(r, request_param(r, "id"), &row);

        if (k >= 0)
                k = job_call_new(r, row->id, "Release", &m);
        return k < 0 ? k : manager_call(r, m, on_released, NULL);
}

/* --- schemas --------------------------------------------------------------------------------------- */

static const SchemaField status_fields[] = {
        { "zone", SCHEMA_STRING, SCHEMA_OPTIONAL, "Must be the one of the configuration." },
        { "threshold", SCHEMA_NUMBER, SCHEMA_OPTIONAL, "Default 200." },
        {},
};
const Schema v1_carbon_status_body_schema = { .name = "CarbonStatusRequest", .fields = status_fields };

static const SchemaField estimate_fields[] = {
        { "zone", SCHEMA_STRING, SCHEMA_OPTIONAL, "Must be the one of the configuration." },
        { "data_size_gb", SCHEMA_NUMBER },
        { "duration_hours", SCHEMA_NUMBER, .description = "0.01 to 24" },
        {},
};
const Schema v1_carbon_estimate_body_schema = { .name = "CarbonEstimateRequest", .fields = estimate_fields };

static const SchemaField report_fields[] = {
        { "zone", SCHEMA_STRING, SCHEMA_OPTIONAL, "Must be the one of the configuration." },
        { "job_id", SCHEMA_STRING },
        { "start_time", SCHEMA_TIMESTAMP },
        { "end_time", SCHEMA_TIMESTAMP },
        { "data_size_gb", SCHEMA_NUMBER },
        {},
};
const Schema v1_carbon_report_body_schema = { .name = "CarbonReportRequest", .fields = report_fields };

static const SchemaField released_fields[] = {
        { "id", SCHEMA_STRING },
        { "message", SCHEMA_STRING },
        {},
};
const Schema v1_released_schema = { .name = "ReleasedJob", .fields = released_fields };
