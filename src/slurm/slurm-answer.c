/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "slurm/slurm-answer.h"

#include <stdarg.h>
#include <sys/wait.h>

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "spec/job-id.h"
#include "json/json-parse.h"
#include "json/json-table.h"

#define JOB_MAX ((size_t) 1024 * 1024) /* the text of one job */
#define WHY_MAX ((size_t) 200)
#define FLAGS_MAX 16u

/* Sets *ret_error; returns -EBADMSG or -ENOMEM. */
static int refuse(char **ret_error, const char *format, ...) _printf_(2, 3);
static int refuse(char **ret_error, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        *ret_error = vstrprintf(format, ap);
        va_end(ap);
        return *ret_error ? -EBADMSG : -ENOMEM;
}

/* --- values ---------------------------------------------------------------------------------------- */

bool slurm_word_is_valid(const char *word) {
        size_t n = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

        return n > 0 && n < SLURM_WORD_MAX && word[n] == '\0';
}

bool slurm_state_is_over(const char *state) {
        static const char *const states[] = { "COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL",
                "PREEMPTED", "BOOT_FAIL", "DEADLINE", "OUT_OF_MEMORY" };

        for (size_t i = 0; i < ELEMENTSOF(states); i++)
                if (streq(state, states[i]))
                        return true;
        return false;
}

/* 5, or since v0.0.39 {"set": true, "infinite": false, "number": 5}. */
static bool read_number(json_t *value, json_int_t max, json_int_t *ret) {
        if (json_is_object(value))
                value = json_is_true(json_object_get(value, "set")) ? json_object_get(value, "number")
                                                                    : NULL;
        if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > max)
                return false;
        *ret = json_integer_value(value);
        return true;
}

static bool read_word(json_t *value, char ret[static SLURM_WORD_MAX]) {
        const char *word = json_string_value(value);

        if (!word || json_string_length(value) != strlen(word) || !slurm_word_is_valid(word))
                return false;
        memcpy(ret, word, strlen(word) + 1);
        return true;
}

/* "PENDING", or since v0.0.40 a list: the state, and what else is the case, such as COMPLETING. */
static bool read_state(json_t *value, SlurmJob *job) {
        if (!json_is_array(value)) {
                job->over = read_word(value, job->state) && slurm_state_is_over(job->state);
                return job->state[0] != '\0';
        }
        if (json_array_size(value) == 0 || json_array_size(value) > FLAGS_MAX ||
                        !read_word(json_array_get(value, 0), job->state))
                return false;
        job->over = true;
        for (size_t i = 0; i < json_array_size(value); i++) {
                char word[SLURM_WORD_MAX];

                if (!read_word(json_array_get(value, i), word))
                        return false;
                job->over = job->over && slurm_state_is_over(word);
        }
        return true;
}

/* The status of wait(2), or since v0.0.39 an object. What is not understood is not worth a refusal: it only
 * explains. */
static int read_exit(json_t *value) {
        json_t *status = json_object_get(value, "return_code"), *signal = json_object_get(value, "signal");
        json_int_t n = 0;

        if (!json_is_object(value) && read_number(value, INT32_MAX, &n))
                return WIFSIGNALED((int) n) ? -WTERMSIG((int) n) : WEXITSTATUS((int) n);
        if (status && read_number(status, 255, &n) && n > 0)
                return (int) n;
        if (!json_is_object(signal))
                return 0;
        status = json_object_get(signal, "signal_id");
        status = status ? status : json_object_get(signal, "id");
        return status && read_number(status, 127, &n) ? -(int) n : 0;
}

/* --- errors ---------------------------------------------------------------------------------------- */

static const char *first_text(json_t *error) {
        static const char *const keys[] = { "description", "error" };

        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                json_t *value = json_object_get(error, keys[i]);

                if (json_is_string(value) && json_string_length(value) > 0)
                        return json_string_value(value);
        }
        return "it does not say why";
}

static char *first_error(json_t *errors) {
        const char *text = first_text(json_array_get(errors, 0));
        char *valid = utf8_make_valid(text, strlen(text), WHY_MAX);

        return valid ? utf8_replace_control(valid, ' ') : NULL;
}

/* Null and an empty list say that all is well. */
static int check_errors(json_t *errors, char **ret_error) {
        if (!errors || json_is_null(errors) || (json_is_array(errors) && json_array_size(errors) == 0))
                return 0;
        *ret_error = first_error(errors);
        return *ret_error ? -EBADMSG : -ENOMEM;
}

static int parse_answer(const char *text, size_t size, json_t **ret, char **ret_error) {
        _cleanup_free_ char *error = NULL;
        int r = json_parse_object(text, size, ret, &error);

        return r == -EBADMSG ? refuse(ret_error, "the answer is no JSON object: %s", strna(error)) : r;
}

char *slurm_answer_why(const char *text, size_t size) {
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *error = NULL;
        json_t *errors;

        if (parse_answer(text, size, &object, &error) < 0)
                return NULL;
        errors = json_object_get(object, "errors");
        return json_is_array(errors) && json_array_size(errors) > 0 ? first_error(errors) : NULL;
}

/* Slurm may have an error for a job that it takes nevertheless: "Required node not available". */
int slurm_answer_submitted(const char *text, size_t size, uint32_t *ret_number, char **ret_error) {
        _cleanup_json_ json_t *object = NULL;
        json_int_t number = 0;
        int r = parse_answer(text, size, &object, ret_error);

        if (r < 0)
                return r;
        if (read_number(json_object_get(object, "job_id"), UINT32_MAX, &number) && number > 0) {
                *ret_number = (uint32_t) number;
                return 0;
        }
        r = check_errors(json_object_get(object, "errors"), ret_error);
        return r < 0 ? r : refuse(ret_error, "the answer has no number of a job");
}

/* --- the list of jobs ------------------------------------------------------------------------------ */

/* What is left of a text. Each of the functions below returns false at what is no JSON. */
typedef struct Cursor {
        const char *p, *end;
} Cursor;

static void skip_blanks(Cursor *c) {
        while (c->p < c->end && (*c->p == ' ' || *c->p == '\n' || *c->p == '\r' || *c->p == '\t'))
                c->p++;
}

/* Skips @what, and blanks on both sides. */
static bool skip_char(Cursor *c, char what) {
        skip_blanks(c);
        if (c->p >= c->end || *c->p != what)
                return false;
        c->p++;
        skip_blanks(c);
        return true;
}

static bool skip_string(Cursor *c) {
        if (c->p >= c->end || *c->p != '"')
                return false;
        for (c->p++; c->p < c->end; c->p++) {
                if (*c->p == '"') {
                        c->p++;
                        return true;
                }
                if (*c->p == '\\' && c->p + 1 < c->end)
                        c->p++;
        }
        return false;
}

static bool skip_nested(Cursor *c) {
        unsigned depth = 0;

        while (c->p < c->end) {
                if (*c->p == '"') {
                        if (!skip_string(c))
                                return false;
                        continue;
                }
                if ((*c->p == '{' || *c->p == '[') && ++depth > JSON_DEPTH_MAX)
                        return false;
                if ((*c->p == '}' || *c->p == ']') && --depth == 0) {
                        c->p++;
                        return true;
                }
                c->p++;
        }
        return false;
}

/* A value, whose text is *ret. */
static bool skip_value(Cursor *c, Cursor *ret) {
        skip_blanks(c);
        ret->p = c->p;
        if (c->p >= c->end)
                return false;
        if (*c->p == '"') {
                if (!skip_string(c))
                        return false;
        } else if (*c->p == '{' || *c->p == '[') {
                if (!skip_nested(c))
                        return false;
        } else
                while (c->p < c->end && !strchr(",]} \t\r\n", *c->p))
                        c->p++;
        ret->end = c->p;
        return ret->end > ret->p;
}

typedef struct JobList {
        const char *prefix;
        slurm_job_func func;
        void *userdata;
        char **ret_error;
} JobList;

/* -EAGAIN: it is not ours. */
static int read_job(const JobList *l, const Cursor *text, json_t **ret_object, SlurmJob *ret) {
        const char *comment, *id;
        json_int_t number = 0;
        json_t *object;
        int r;

        if ((size_t) (text->end - text->p) > JOB_MAX)
                return refuse(l->ret_error, "a job of the answer is longer than %zu bytes", JOB_MAX);
        r = parse_answer(text->p, (size_t) (text->end - text->p), ret_object, l->ret_error);
        if (r < 0)
                return r;
        object = *ret_object;
        comment = json_string_value(json_object_get(object, "comment"));
        id = comment ? startswith(comment, l->prefix) : NULL;
        if (!id || json_string_length(json_object_get(object, "comment")) != strlen(comment) ||
                        !job_id_is_valid(id))
                return -EAGAIN;
        if (!read_number(json_object_get(object, "job_id"), UINT32_MAX, &number) || number == 0)
                return refuse(l->ret_error, "job %s of the answer has no number", id);
        ret->number = (uint32_t) number;
        ret->id = id;
        if (!read_state(json_object_get(object, "job_state"), ret))
                return refuse(l->ret_error, "job %u of the answer has no state", ret->number);
        if (!read_word(json_object_get(object, "state_reason"), ret->reason) || streq(ret->reason, "None"))
                ret->reason[0] = '\0';
        ret->exit_status = ret->over ? read_exit(json_object_get(object, "exit_code")) : 0;
        return 0;
}

static int take_job(const JobList *l, const Cursor *text) {
        _cleanup_json_ json_t *object = NULL;
        SlurmJob job = {};
        int r;

        if (!memmem(text->p, (size_t) (text->end - text->p), l->prefix, strlen(l->prefix)))
                return 0;
        r = read_job(l, text, &object, &job);
        return r == -EAGAIN ? 0 : r < 0 ? r : l->func(&job, l->userdata);
}

static int no_json(const JobList *l) {
        return refuse(l->ret_error, "the answer is no JSON object");
}

static int take_jobs(const JobList *l, Cursor *c) {
        Cursor value;
        int r = 0;

        if (!skip_char(c, '['))
                return refuse(l->ret_error, "\"jobs\" of the answer is no list");
        if (skip_char(c, ']'))
                return 0;
        do {
                if (!skip_value(c, &value) || *value.p != '{')
                        return no_json(l);
                r = take_job(l, &value);
        } while (r >= 0 && skip_char(c, ','));
        if (r < 0)
                return r;
        return skip_char(c, ']') ? 0 : no_json(l);
}

static int take_errors(const JobList *l, Cursor *c) {
        _cleanup_json_ json_t *errors = NULL;
        _cleanup_free_ char *error = NULL;
        Cursor value;
        int r;

        if (!skip_value(c, &value))
                return no_json(l);
        r = json_parse_any(value.p, (size_t) (value.end - value.p), &errors, &error);
        return r == -EBADMSG ? no_json(l) : r < 0 ? r : check_errors(errors, l->ret_error);
}

static bool key_is(const Cursor *key, const char *name) {
        size_t n = strlen(name);

        return (size_t) (key->end - key->p) == n + 2 && memcmp(key->p + 1, name, n) == 0;
}

static int take_member(const JobList *l, Cursor *c, unsigned *n_lists) {
        Cursor key, value;

        if (!skip_value(c, &key) || *key.p != '"' || !skip_char(c, ':'))
                return no_json(l);
        if (key_is(&key, "errors"))
                return take_errors(l, c);
        if (key_is(&key, "jobs"))
                return ++*n_lists > 1 ? refuse(l->ret_error, "the answer has \"jobs\" twice")
                                      : take_jobs(l, c);
        return skip_value(c, &value) ? 0 : no_json(l);
}

int slurm_answer_jobs(const char *text, size_t size, const char *prefix, slurm_job_func func, void *userdata,
                char **ret_error) {
        const JobList l = { .prefix = prefix, .func = func, .userdata = userdata, .ret_error = ret_error };
        Cursor c = { text, text + size };
        unsigned n_lists = 0;
        int r;

        if (!skip_char(&c, '{'))
                return no_json(&l);
        do {
                r = take_member(&l, &c, &n_lists);
                if (r < 0)
                        return r;
        } while (skip_char(&c, ','));
        if (!skip_char(&c, '}') || c.p != c.end)
                return no_json(&l);
        return n_lists == 1 ? 0 : refuse(ret_error, "the answer has no list \"jobs\"");
}
