/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How an attempt ended, as the job says it. The reader is the manager: what it reads may come from a job
 * that an image has taken over. */

#include "spec/job-result.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "spec/job-file-internal.h"
#include "spec/job-file.h"
#include "spec/job-state.h"
#include "spec/vm-json.h"
#include "json/json-parse.h"

#define RESULT_FILE JOB_RESULTS_DIRECTORY "/result.json"
#define RESULT_MAX ((size_t) 1024 * 1024)
#define MESSAGE_MAX 4096
#define CODE_MAX 64
#define OUTPUTS_MAX 1024
#define WARNINGS_MAX 64
#define METRICS_MAX 256
#define SECONDS_MAX (10.0 * 366 * 24 * 3600)
/* Of all that is in it. */
#define GUEST_VALUES_MAX 100000u
#define GUEST_TEXT_MAX 1024u

static const char *const outcome_names[_OUTCOME_MAX] = {
        [OUTCOME_COMPLETED] = "completed",
        [OUTCOME_FAILED] = "failed",
        [OUTCOME_TRANSIENT] = "transient",
        [OUTCOME_CANCELLED] = "cancelled",
        [OUTCOME_PASS] = "pass",
};

const char *job_outcome_to_string(JobOutcome o) {
        return o >= 0 && o < _OUTCOME_MAX ? outcome_names[o] : NULL;
}

JobOutcome job_outcome_from_string(const char *s) {
        for (int i = 0; s && i < _OUTCOME_MAX; i++)
                if (streq(outcome_names[i], s))
                        return i;
        return _OUTCOME_INVALID;
}

JobResult *job_result_free(JobResult *r) {
        if (!r)
                return NULL;
        free(r->message);
        free(r->code);
        json_decref(r->outputs);
        json_decref(r->vm);
        json_decref(r->guest);
        json_decref(r->metrics);
        return mfree(r);
}

static json_t *warm_to_json(const JobWarmResult *w) {
        return json_pack("{s:I, s:I, s:I, s:I, s:b, s:f, s:f, s:f}", "pass", (json_int_t) w->pass, "bytes",
                        (json_int_t) w->bytes, "bytes_areas", (json_int_t) w->bytes_areas,
                        "bytes_differences", (json_int_t) w->bytes_differences, "verified",
                        (int) w->verified, "seconds", w->seconds, "estimate_seconds", w->estimate_seconds,
                        "downtime_seconds", w->downtime_seconds);
}

int job_result_write(const JobResult *r, const char *directory) {
        _cleanup_free_ char *message = NULL, *results = NULL;
        _cleanup_json_ json_t *object = NULL;

        /* What a library or another program said is in it, and need not be UTF-8. */
        message = utf8_make_valid(strempty(r->message), strlen(strempty(r->message)), MESSAGE_MAX);
        if (!message)
                return -ENOMEM;
        object = json_pack("{s:I, s:s, s:s?, s:s, s:s?, s:O?, s:O?, s:O?, s:O?}", "attempt",
                        (json_int_t) r->attempt, "outcome", job_outcome_to_string(r->outcome), "phase",
                        job_phase_to_string(r->phase), "message", utf8_replace_control(message, ' '), "code",
                        r->code, "outputs", r->outputs, "vm", r->vm, "guest", r->guest, "metrics",
                        r->metrics);
        if (!object)
                return -EINVAL;
        if (r->warm.pass > 0 && json_object_set_new(object, "warm", warm_to_json(&r->warm)) < 0)
                return -ENOMEM;
        /* It is there in a unit; not where a plan is carried out by hand. */
        results = strprintf("%s/" JOB_RESULTS_DIRECTORY, directory);
        if (!results)
                return -ENOMEM;
        if (mkdir(results, 0700) < 0 && errno != EEXIST)
                return -errno;
        return job_file_write(directory, RESULT_FILE, object);
}

static int outcome_from_string(const char *s) {
        return job_outcome_from_string(s);
}

static int phase_from_string(const char *s) {
        return job_phase_from_string(s);
}

/* Offsets count from the result. */
#define WARM(field) offsetof(JobResult, warm.field)
static const JsonField warm_fields[] = {
        { "pass", JSON_FIELD_UNSIGNED, WARM(pass), .flags = JSON_REQUIRED, .min = 1 },
        { "bytes", JSON_FIELD_UINT64, WARM(bytes), .max = INT64_MAX },
        { "bytes_areas", JSON_FIELD_UINT64, WARM(bytes_areas), .max = INT64_MAX },
        { "bytes_differences", JSON_FIELD_UINT64, WARM(bytes_differences), .max = INT64_MAX },
        { "verified", JSON_FIELD_BOOLEAN, WARM(verified) },
        { "seconds", JSON_FIELD_KNOWN },
        { "estimate_seconds", JSON_FIELD_KNOWN },
        { "downtime_seconds", JSON_FIELD_KNOWN },
        {},
};
#undef WARM

static const JsonField result_fields[] = {
        { "attempt", JSON_FIELD_UNSIGNED, offsetof(JobResult, attempt), .flags = JSON_REQUIRED, .min = 1 },
        { "outcome", JSON_FIELD_ENUM, offsetof(JobResult, outcome), .flags = JSON_REQUIRED,
                        .from_string = outcome_from_string,
                        .expected = "completed, failed, transient, cancelled, pass" },
        { "phase", JSON_FIELD_ENUM, offsetof(JobResult, phase), .flags = JSON_NULLABLE,
                        .from_string = phase_from_string, .expected = "a phase" },
        { "message", JSON_FIELD_STRING, offsetof(JobResult, message), .flags = JSON_NULLABLE,
                        .max = MESSAGE_MAX },
        { "code", JSON_FIELD_STRING, offsetof(JobResult, code), .flags = JSON_NULLABLE, .max = CODE_MAX },
        { "outputs", JSON_FIELD_ANY, offsetof(JobResult, outputs), .flags = JSON_NULLABLE },
        { "vm", JSON_FIELD_ANY, offsetof(JobResult, vm), .flags = JSON_NULLABLE },
        { "guest", JSON_FIELD_ANY, offsetof(JobResult, guest), .flags = JSON_NULLABLE },
        { "metrics", JSON_FIELD_ANY, offsetof(JobResult, metrics), .flags = JSON_NULLABLE },
        { "warm", JSON_FIELD_OBJECT, 0, .flags = JSON_NULLABLE, .nested = warm_fields },
        {},
};

/* -EBADMSG if it is there and no reasonable number. */
static int read_seconds(json_t *warm, const char *key, double *ret) {
        json_t *value = json_object_get(warm, key);
        double seconds = json_number_value(value);

        if (value && (!json_is_number(value) || !(seconds >= 0) || seconds > SECONDS_MAX))
                return -EBADMSG;
        *ret = seconds;
        return 0;
}

static int read_warm(json_t *warm, JobWarmResult *w) {
        int r = read_seconds(warm, "seconds", &w->seconds);

        if (r >= 0)
                r = read_seconds(warm, "estimate_seconds", &w->estimate_seconds);
        return r < 0 ? r : read_seconds(warm, "downtime_seconds", &w->downtime_seconds);
}

static bool code_is_valid(const char *code) {
        return *code && strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(code);
}

/* Not there, or a plain word. */
static bool word_is_valid(json_t *output, const char *key) {
        json_t *word = json_object_get(output, key);

        return !word ||
                        (json_is_string(word) && json_string_length(word) <= CODE_MAX &&
                                        code_is_valid(json_string_value(word)));
}

static bool warnings_are_valid(json_t *warnings) {
        json_t *text;
        size_t i;

        if (!warnings)
                return true;
        if (!json_is_array(warnings) || json_array_size(warnings) > WARNINGS_MAX)
                return false;
        json_array_foreach(warnings, i, text)
                if (!json_is_string(text) || json_string_length(text) > MESSAGE_MAX ||
                                utf8_has_control(json_string_value(text)))
                        return false;
        return true;
}

static bool output_is_valid(json_t *output) {
        json_t *virtual_size = json_object_get(output, "virtual_size");
        json_t *actual_size = json_object_get(output, "actual_size");
        json_t *file = json_object_get(output, "path"), *server = json_object_get(output, "uri");
        const char *path = json_string_value(file ? file : server);
        const char *format = json_string_value(json_object_get(output, "format"));

        if (!warnings_are_valid(json_object_get(output, "warnings")))
                return false;
        static const char *const numbers[] = { "bytes_data_compared", "bytes_zero_compared",
                "bytes_zero_not_read" };
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                json_t *number = json_object_get(output, numbers[i]);
                if (number && (!json_is_integer(number) || json_integer_value(number) < 0))
                        return false;
        }
        return word_is_valid(output, "verified") && word_is_valid(output, "read_back") &&
                        word_is_valid(output, "source_state") && path && format && strlen(path) <= 8192 &&
                        !utf8_has_control(path) && disk_format_from_string(format) >= 0 &&
                        (!virtual_size || json_integer_value(virtual_size) >= 0) &&
                        (!actual_size || json_integer_value(actual_size) >= 0);
}

static int check_vm(const JobResult *r) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_vm_ VmHardware *vm = NULL;

        return r->vm ? vm_hardware_from_json(r->vm, "vm", &vm, &errors) : 0;
}

/* Any values, but no long texts and no control characters: what is in it comes from the disk of a guest. */
static bool guest_value_is_valid(json_t *value, size_t *n) {
        const char *key;
        json_t *v;
        size_t i;

        if (++*n > GUEST_VALUES_MAX ||
                        (json_is_string(value) &&
                                        (json_string_length(value) > GUEST_TEXT_MAX ||
                                                        utf8_has_control(json_string_value(value)))))
                return false;
        json_array_foreach(value, i, v)
                if (!guest_value_is_valid(v, n))
                        return false;
        json_object_foreach(value, key, v)
                if (!code_is_valid(key) || !guest_value_is_valid(v, n))
                        return false;
        return true;
}

bool job_result_guest_is_valid(json_t *guest) {
        size_t n = 0;

        return json_is_object(guest) && guest_value_is_valid(guest, &n);
}

/* Flat and of known types, so that whoever shows it need not look again. */
static bool result_makes_sense(const JobResult *r) {
        const char *key;
        json_t *value;
        size_t i, n = 0;

        if (r->outcome == OUTCOME_PASS && r->warm.pass == 0)
                return false;
        if (r->guest && (!json_is_object(r->guest) || !guest_value_is_valid(r->guest, &n)))
                return false;
        if ((r->code && !code_is_valid(r->code)) || (r->outputs && !json_is_array(r->outputs)) ||
                        (r->metrics && !json_is_object(r->metrics)) ||
                        json_array_size(r->outputs) > OUTPUTS_MAX ||
                        json_object_size(r->metrics) > METRICS_MAX)
                return false;
        json_array_foreach(r->outputs, i, value)
                if (!output_is_valid(value))
                        return false;
        json_object_foreach(r->metrics, key, value)
                if (!json_is_number(value) || !code_is_valid(key))
                        return false;
        return true;
}

int job_result_decode(const char *text, size_t size, JobResult **ret) {
        _cleanup_(job_result_freep) JobResult *result = new0(JobResult, 1);
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *error = NULL;
        int r;

        if (!result)
                return -ENOMEM;
        result->phase = _PHASE_INVALID;
        r = json_parse_object(text, size, &object, &error);
        if (r >= 0)
                r = json_table_decode(result_fields, object, "", result, &errors);
        if (r < 0)
                return r;
        if (errors.n_errors > 0 || !result_makes_sense(result))
                return -EBADMSG;
        r = read_warm(json_object_get(object, "warm"), &result->warm);
        if (r >= 0)
                r = check_vm(result);
        if (r < 0)
                return r;
        if (result->message)
                utf8_replace_control(result->message, ' ');
        *ret = TAKE_PTR(result);
        return 0;
}

int job_result_read(const char *directory, JobResult **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r = job_file_read(directory, RESULT_FILE, RESULT_MAX, &text, &size);

        return r < 0 ? r : job_result_decode(text, size, ret);
}
