/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/job-cutover.h"

#include "api/bus-client.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/job-json.h"
#include "api/job-submit.h"
#include "basic/string-util.h"
#include "spec/job-state.h"

typedef struct Cutover {
        char *at;
        bool cancel;
} Cutover;

static const JsonField fields[] = {
        { "at", JSON_FIELD_STRING, offsetof(Cutover, at), .flags = JSON_NULLABLE },
        { "cancel", JSON_FIELD_BOOLEAN, offsetof(Cutover, cancel), .flags = JSON_NULLABLE },
        {},
};

static const SchemaField body_fields[] = {
        { "at", SCHEMA_TIMESTAMP, SCHEMA_OPTIONAL | SCHEMA_NULLABLE,
                        "When it begins; now, if nothing is given." },
        { "cancel", SCHEMA_BOOLEAN, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "No cutover is planned any more." },
        {},
};
const Schema job_cutover_schema = { .name = "Cutover", .fields = body_fields };

static const SchemaField reply_fields[] = {
        { "job_id", SCHEMA_STRING },
        { "message", SCHEMA_STRING },
        { "warning", SCHEMA_STRING, SCHEMA_NULLABLE, "Why it may begin later." },
        { "warm", SCHEMA_OBJECT, .description = "Where the job stands." },
        {},
};
const Schema job_cutover_reply_schema = { .name = "CutoverReply", .fields = reply_fields };

/* What SetCutover is given. */
static const char *check_body(json_t *body, Cutover *c, JsonErrors *errors) {
        int r = json_table_decode(fields, body, "", c, errors);

        STRV_FOREACH(key, errors->unknown)
                if (r >= 0)
                        r = json_errors_add(errors, *key, "must not be given: only at and cancel may be");
        if (r >= 0 && c->at && c->cancel)
                r = json_errors_add(errors, "at", "must not be given together with cancel");
        if (r < 0)
                return NULL;
        return c->cancel ? "cancel" : c->at ? c->at : "now";
}

/* 0 with *ret; -EBADMSG: it was answered. */
static int read_body(Request *r, char **ret) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *body = NULL;
        Cutover c = {};
        size_t size;
        int k = 0;

        (void) request_body(r, &size);
        if (size > 0)
                k = request_json_object(r, &body);
        else if (!(body = json_object()))
                k = -ENOMEM;
        if (k < 0)
                return k;
        const char *when = check_body(body, &c, &errors);
        _cleanup_free_ char *why = errors.n_errors > 0 ? json_errors_text(&errors) : NULL;
        char *copy = when && errors.n_errors == 0 ? strdup(when) : NULL;
        json_table_done(fields, &c);
        if (why) {
                (void) request_reply_error(r, 400, "%s", why);
                return -EBADMSG;
        }
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}

static int on_set(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        const char *warning;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = sd_bus_message_read(reply, "s", &warning);
        if (k >= 0)
                k = job_find(r, request_param(r, "id"), &row);
        if (k < 0)
                return k;
        json_t *warm = job_row_warm(row);
        bool planned = json_is_string(json_object_get(warm, "cutover_at"));
        return request_reply_json(r, 200,
                        json_pack("{s:o, s:s, s:o, s:o}", "job_id", json_text(row->id), "message",
                                        planned ? "cutover planned" : "cutover cancelled", "warning",
                                        isempty(warning) ? json_null() : json_text(warning), "warm",
                                        warm ? warm : json_null()));
}

int job_cutover(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(job_row_freep) JobRow *row = NULL;
        _cleanup_free_ char *when = NULL;

        int k = read_body(r, &when);
        if (k >= 0)
                k = job_find(r, request_param(r, "id"), &row);
        if (k >= 0)
                k = job_call_new(r, row->id, "SetCutover", &m);
        if (k >= 0)
                k = sd_bus_message_append(m, "s", when);
        return k < 0 ? k : manager_call(r, m, on_set, NULL);
}
