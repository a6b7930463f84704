/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dialect/worker-message.h"
#include "basic/string-util.h"
#include "journal/job-event.h"
#include "spec/capability.h"
#include "spec/job-result.h"
#include "spec/label.h"
#include "json/json-parse.h"

static int verdict(const JsonErrors *errors) {
        return errors->n_errors > 0 ? -EBADMSG : 0;
}

static int parse(const char *text, json_t **ret, JsonErrors *errors) {
        _cleanup_free_ char *why = NULL;
        size_t size = strlen(text);
        int r;

        if (size > WORKER_MESSAGE_MAX)
                r = json_errors_add(errors, "", "the message must be at most %zu bytes long",
                                WORKER_MESSAGE_MAX);
        else {
                r = json_parse_any(text, size, ret, &why);
                if (r != -EBADMSG)
                        return r;
                r = json_errors_add(errors, "", "the message is no JSON: %s", why);
        }
        return r < 0 ? r : -EBADMSG;
}

static int wrong(JsonErrors *errors, const char *path, const char *what) {
        return json_errors_add(errors, path, "%s", what);
}

/* True if @value, written out, is longer than @max. */
static bool is_longer(json_t *value, size_t max) {
        return value && json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY) > max;
}

/* --- of itself ------------------------------------------------------------------------------------- */

static const JsonField hello_fields[] = {
        { "worker_id", JSON_FIELD_STRING, offsetof(WorkerHello, worker_id), JSON_REQUIRED, .max = 128 },
        { "execution_mode", JSON_FIELD_STRING, offsetof(WorkerHello, execution_mode), JSON_NULLABLE,
                        .max = 64 },
        { "capabilities", JSON_FIELD_ANY, offsetof(WorkerHello, capabilities), JSON_NULLABLE },
        { "operations", JSON_FIELD_ANY, offsetof(WorkerHello, operations), JSON_NULLABLE },
        { "system_info", JSON_FIELD_ANY, offsetof(WorkerHello, system_info), JSON_NULLABLE },
        { "labels", JSON_FIELD_STRV, offsetof(WorkerHello, labels), JSON_NULLABLE },
        { "job_id", JSON_FIELD_STRING, offsetof(WorkerHello, job_id), JSON_NULLABLE, .max = JOB_ID_MAX },
        { "wait", JSON_FIELD_UNSIGNED, offsetof(WorkerHello, wait), JSON_NULLABLE, .max = WORKER_WAIT_MAX },
        {},
};

void worker_hello_done(WorkerHello *h) {
        json_table_done(hello_fields, h);
        *h = (WorkerHello){};
}

static int take_size(json_t *info, const char *key, const char *path, uint64_t *ret, JsonErrors *errors) {
        json_t *value = json_object_get(info, key);

        if (!value || json_is_null(value))
                return 0;
        if (!json_is_integer(value) || json_integer_value(value) < 0)
                return wrong(errors, path, "must be a whole number of MiB, not negative");
        *ret = (uint64_t) json_integer_value(value) / 1024;
        return 0;
}

static int check_system_info(WorkerHello *h, JsonErrors *errors) {
        int r;

        if (!h->system_info)
                return 0;
        if (!json_is_object(h->system_info))
                return wrong(errors, "system_info", "must be an object");
        if (is_longer(h->system_info, WORKER_TEXT_MAX))
                return wrong(errors, "system_info", "must be at most 256 KiB long");
        r = take_size(h->system_info, "memory_mb", "system_info.memory_mb", &h->memory_gb, errors);
        return r < 0 ? r
                     : take_size(h->system_info, "disk_space_mb", "system_info.disk_space_mb", &h->disk_gb,
                                       errors);
}

static int check_capabilities(WorkerHello *h, bool registering, JsonErrors *errors) {
        int r;

        if (!h->capabilities)
                return registering ? wrong(errors, "capabilities", "must be given") : 0;
        if (is_longer(h->capabilities, WORKER_TEXT_MAX))
                return wrong(errors, "capabilities", "must be at most 256 KiB long");
        r = capabilities_from_json(h->capabilities, "capabilities", &h->capability_mask, errors);
        return r == -EBADMSG ? 0 : r;
}

static int check_operations(WorkerHello *h, JsonErrors *errors) {
        int r;

        h->operation_mask = OPERATION_BITS;
        if (!h->operations)
                return 0;
        r = operations_from_json(h->operations, "operations", &h->operation_mask, errors);
        return r == -EBADMSG ? 0 : r;
}

static int check_labels(const WorkerHello *h, JsonErrors *errors) {
        return labels_are_valid(h->labels) ? 0 : wrong(errors, "labels", LABELS_EXPECTED);
}

static int check_hello(WorkerHello *h, bool registering, JsonErrors *errors) {
        int r = 0;

        if (h->worker_id && !job_id_is_valid(h->worker_id))
                r = wrong(errors, "worker_id",
                                "must begin with a letter or a digit, and have only letters, digits, \".\", "
                                "\"_\", "
                                "\":\" and \"-\" in it");
        if (r >= 0 && h->job_id && !job_id_is_valid(h->job_id))
                r = wrong(errors, "job_id", "must be the id of a job");
        if (r >= 0)
                r = check_capabilities(h, registering, errors);
        if (r >= 0)
                r = check_operations(h, errors);
        if (r >= 0)
                r = check_labels(h, errors);
        return r < 0 ? r : check_system_info(h, errors);
}

int worker_hello_parse(const char *text, bool registering, WorkerHello *ret, JsonErrors *errors) {
        _cleanup_(worker_hello_done) WorkerHello h = {};
        _cleanup_json_ json_t *object = NULL;
        int r = parse(text, &object, errors);

        if (r >= 0 && !json_is_object(object))
                r = wrong(errors, "", "the message must be an object");
        else if (r >= 0) {
                r = json_table_decode(hello_fields, object, "", &h, errors);
                if (r >= 0)
                        r = check_hello(&h, registering, errors);
        }
        if (r < 0 || (r = verdict(errors)) < 0)
                return r;
        *ret = h;
        h = (WorkerHello){};
        return 0;
}

/* --- of a job that goes on ------------------------------------------------------------------------- */

typedef struct EventFields {
        char *phase, *message;
        json_t *percentage, *progress, *details;
        uint64_t sequence;
} EventFields;

static const JsonField event_fields[] = {
        { "phase", JSON_FIELD_STRING, offsetof(EventFields, phase), JSON_NULLABLE, .max = 128 },
        { "message", JSON_FIELD_STRING, offsetof(EventFields, message), JSON_NULLABLE,
                        .max = EVENT_MESSAGE_MAX },
        { "percentage", JSON_FIELD_ANY, offsetof(EventFields, percentage), JSON_NULLABLE },
        { "progress_percent", JSON_FIELD_ANY, offsetof(EventFields, progress), JSON_NULLABLE },
        { "details", JSON_FIELD_ANY, offsetof(EventFields, details), JSON_NULLABLE },
        { "sequence", JSON_FIELD_UINT64, offsetof(EventFields, sequence), JSON_NULLABLE, .min = 1 },
        { "worker_id", JSON_FIELD_KNOWN },
        { "job_id", JSON_FIELD_KNOWN },
        { "timestamp", JSON_FIELD_KNOWN },
        {},
};

static void event_fields_done(EventFields *f) {
        json_table_done(event_fields, f);
}

static void worker_event_done(WorkerEvent *e) {
        free(e->phase);
        free(e->message);
        json_decref(e->details);
}

void worker_events_done(WorkerEvents *e) {
        for (size_t i = 0; i < e->n; i++)
                worker_event_done(&e->events[i]);
        free(e->events);
        *e = (WorkerEvents){};
}

static int take_percent(json_t *value, const char *path, const char *key, double *ret, JsonErrors *errors) {
        double percent = json_number_value(value);

        if (!value)
                return 0;
        if (!json_is_number(value) || !(percent >= 0 && percent <= 100))
                return json_errors_add(errors, path, "%s must be a number, 0 to 100", key);
        *ret = percent;
        return 0;
}

static int decode_event(json_t *object, size_t index, WorkerEvent *ret, JsonErrors *errors) {
        _cleanup_(event_fields_done) EventFields f = {};
        char path[32];
        int r;

        (void) snprintf(path, sizeof(path), "events[%zu]", index);
        *ret = (WorkerEvent){ .percent = -1 };
        if (!json_is_object(object))
                return wrong(errors, path, "must be an object");
        r = json_table_decode(event_fields, object, path, &f, errors);
        if (r >= 0)
                r = take_percent(f.progress, path, "progress_percent", &ret->percent, errors);
        if (r >= 0)
                r = take_percent(f.percentage, path, "percentage", &ret->percent, errors);
        if (r >= 0 && f.details &&
                        (!json_is_object(f.details) || is_longer(f.details, EVENT_DETAILS_MAX / 2)))
                r = wrong(errors, path, "details must be an object of at most 32 KiB");
        if (r < 0)
                return r;
        ret->phase = TAKE_PTR(f.phase);
        ret->message = TAKE_PTR(f.message);
        ret->details = TAKE_PTR(f.details);
        ret->sequence = f.sequence;
        return 0;
}

int worker_events_parse(const char *text, WorkerEvents *ret, JsonErrors *errors) {
        _cleanup_(worker_events_done) WorkerEvents e = {};
        _cleanup_json_ json_t *value = NULL;
        bool is_list;
        size_t n;
        int r = parse(text, &value, errors);

        if (r < 0)
                return r;
        is_list = json_is_array(value);
        n = is_list ? json_array_size(value) : 1;
        if (n < 1 || n > WORKER_EVENTS_MAX) {
                r = json_errors_add(errors, "", "a report must have 1 to %u events", WORKER_EVENTS_MAX);
                return r < 0 ? r : -EBADMSG;
        }
        e.events = new0(WorkerEvent, n);
        if (!e.events)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                r = decode_event(is_list ? json_array_get(value, i) : value, i, &e.events[i], errors);
                e.n++;
        }
        if (r < 0 || (r = verdict(errors)) < 0)
                return r;
        *ret = e;
        e = (WorkerEvents){};
        return 0;
}

/* --- of a job that has ended ----------------------------------------------------------------------- */

typedef struct ResultFields {
        char *status;
        json_t *outputs, *metrics, *guest, *error;
} ResultFields;

static const JsonField result_fields[] = {
        { "status", JSON_FIELD_STRING, offsetof(ResultFields, status), JSON_REQUIRED, .max = 32 },
        { "outputs", JSON_FIELD_ANY, offsetof(ResultFields, outputs), JSON_NULLABLE },
        { "metrics", JSON_FIELD_ANY, offsetof(ResultFields, metrics), JSON_NULLABLE },
        { "guest", JSON_FIELD_ANY, offsetof(ResultFields, guest), JSON_NULLABLE },
        { "error", JSON_FIELD_ANY, offsetof(ResultFields, error), JSON_NULLABLE },
        { "worker_id", JSON_FIELD_KNOWN },
        { "job_id", JSON_FIELD_KNOWN },
        {},
};

typedef struct ErrorFields {
        char *phase, *code, *message;
        bool retryable;
} ErrorFields;

static const JsonField error_fields[] = {
        { "phase", JSON_FIELD_STRING, offsetof(ErrorFields, phase), JSON_NULLABLE, .max = 128 },
        { "code", JSON_FIELD_STRING, offsetof(ErrorFields, code), JSON_NULLABLE, .max = 128 },
        { "message", JSON_FIELD_STRING, offsetof(ErrorFields, message), JSON_NULLABLE, .max = 65536 },
        { "retryable", JSON_FIELD_BOOLEAN, offsetof(ErrorFields, retryable), JSON_NULLABLE },
        {},
};

static void result_fields_done(ResultFields *f) {
        json_table_done(result_fields, f);
}

static void error_fields_done(ErrorFields *f) {
        json_table_done(error_fields, f);
}

void worker_result_done(WorkerResult *r) {
        free(r->message);
        json_decref(r->document);
        *r = (WorkerResult){};
}

static int take_error(json_t *error, WorkerResult *ret, json_t **ret_json, JsonErrors *errors) {
        _cleanup_(error_fields_done) ErrorFields f = { .retryable = true };
        int r;

        if (!error)
                return 0;
        if (!json_is_object(error))
                return wrong(errors, "error", "must be an object");
        r = json_table_decode(error_fields, error, "error", &f, errors);
        if (r < 0)
                return r;
        *ret_json = json_pack("{s:s?, s:s?, s:s?}", "phase", f.phase, "code", f.code, "message", f.message);
        if (!*ret_json)
                return -ENOMEM;
        ret->retry_useless = !f.retryable;
        ret->message = TAKE_PTR(f.message);
        return 0;
}

static int check_outputs(json_t *outputs, JsonErrors *errors) {
        json_t *output;
        size_t i;

        if (!outputs)
                return 0;
        if (!json_is_array(outputs) || json_array_size(outputs) > WORKER_OUTPUTS_MAX)
                return json_errors_add(errors, "outputs", "must be a list of at most %u objects",
                                WORKER_OUTPUTS_MAX);
        json_array_foreach(outputs, i, output)
                if (!json_is_object(output))
                        return wrong(errors, "outputs", "must be a list of objects");
        return 0;
}

static int build_result(const ResultFields *f, WorkerResult *ret, JsonErrors *errors) {
        _cleanup_json_ json_t *error = NULL;
        int r = 0;

        if (f->status && !streq(f->status, "completed") && !streq(f->status, "failed"))
                r = wrong(errors, "status", "must be completed or failed");
        if (r >= 0)
                r = check_outputs(f->outputs, errors);
        if (r >= 0 && f->metrics && !json_is_object(f->metrics))
                r = wrong(errors, "metrics", "must be an object");
        if (r >= 0 && f->guest && !job_result_guest_is_valid(f->guest))
                r = wrong(errors, "guest",
                                "must be an object whose texts are short and without control characters");
        if (r >= 0)
                r = take_error(f->error, ret, &error, errors);
        if (r < 0 || verdict(errors) < 0)
                return r;
        ret->completed = streq(f->status, "completed");
        ret->document = json_pack("{s:o, s:o, s:O*, s:o}", "outputs",
                        f->outputs ? json_incref(f->outputs) : json_array(), "metrics",
                        f->metrics ? json_incref(f->metrics) : json_object(), "guest", f->guest, "error",
                        !ret->completed && error ? json_incref(error) : json_null());
        if (!ret->document)
                return -ENOMEM;
        return is_longer(ret->document, WORKER_TEXT_MAX)
                        ? wrong(errors, "", "the result must be at most 256 KiB long")
                        : 0;
}

int worker_result_parse(const char *text, WorkerResult *ret, JsonErrors *errors) {
        _cleanup_(worker_result_done) WorkerResult result = {};
        _cleanup_(result_fields_done) ResultFields f = {};
        _cleanup_json_ json_t *object = NULL;
        int r = parse(text, &object, errors);

        if (r >= 0 && !json_is_object(object))
                r = wrong(errors, "", "the message must be an object");
        else if (r >= 0) {
                r = json_table_decode(result_fields, object, "", &f, errors);
                if (r >= 0)
                        r = build_result(&f, &result, errors);
        }
        if (r < 0 || (r = verdict(errors)) < 0)
                return r;
        *ret = result;
        result = (WorkerResult){};
        return 0;
}
