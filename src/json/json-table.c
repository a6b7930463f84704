/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "json/json-table.h"

#define LINE_MAX_BYTES 1024

void json_errors_done(JsonErrors *e) {
        for (size_t i = 0; i < e->n_errors; i++) {
                free(e->errors[i].field);
                free(e->errors[i].text);
        }
        e->errors = mfree(e->errors);
        e->n_errors = 0;
        e->unknown = strv_free(e->unknown);
}

/* Texts come to be read by people and written to logs: one line each, never endless. */
static char *make_line(const char *text) {
        char *line = utf8_make_valid(text, strlen(text), LINE_MAX_BYTES);

        return line ? utf8_replace_control(line, '?') : NULL;
}

static int add_unknown(JsonErrors *e, const char *field) {
        return strv_length(e->unknown) < JSON_ERRORS_MAX ? strv_consume(&e->unknown, make_line(field)) : 0;
}

int json_errors_add(JsonErrors *e, const char *field, const char *format, ...) {
        _cleanup_free_ char *what = NULL, *text = NULL, *about = NULL;
        va_list ap;

        if (e->n_errors >= JSON_ERRORS_MAX)
                return 0;
        if (!e->errors)
                e->errors = new0(JsonError, JSON_ERRORS_MAX);
        va_start(ap, format);
        what = vstrprintf(format, ap);
        va_end(ap);
        about = make_line(field);
        text = what ? make_line(what) : NULL;
        if (!e->errors || !about || !text)
                return -ENOMEM;
        e->errors[e->n_errors++] = (JsonError){ .field = TAKE_PTR(about), .text = TAKE_PTR(text) };
        return 0;
}

char *json_path_join(const char *path, const char *key) {
        size_t n = strlen(strempty(path)), k = strlen(key) + 1;
        char *joined = n == 0 ? strdup(key) : malloc(n + 1 + k);

        if (joined && n > 0) {
                memcpy(joined, path, n);
                joined[n] = '.';
                memcpy(joined + n + 1, key, k);
        }
        return joined;
}

int json_errors_adopt(JsonErrors *e, const char *prefix, const JsonErrors *from) {
        for (size_t i = 0; i < from->n_errors; i++) {
                const JsonError *error = &from->errors[i];
                _cleanup_free_ char *field = isempty(error->field) ? strdup(prefix)
                                                                   : json_path_join(prefix, error->field);
                if (!field)
                        return -ENOMEM;
                int r = json_errors_add(e, field, "%s", error->text);
                if (r < 0)
                        return r;
        }
        return 0;
}

char *json_error_text(const JsonError *e) {
        return isempty(e->field) ? strdup(e->text) : strprintf("%s: %s", e->field, e->text);
}

char *json_errors_text(const JsonErrors *e) {
        _cleanup_strv_free_ char **lines = NULL;

        for (size_t i = 0; i < e->n_errors; i++) {
                int r = strv_consume(&lines, json_error_text(&e->errors[i]));
                if (r < 0)
                        return NULL;
        }
        return strv_join(lines, "; ");
}

bool json_errors_has(const JsonErrors *e, const char *field) {
        for (size_t i = 0; i < e->n_errors; i++)
                if (streq(e->errors[i].field, field))
                        return true;
        return false;
}

static int decode_string(const JsonField *f, json_t *value, const char *path, char **p, JsonErrors *errors) {
        uint64_t max = f->max > 0 ? f->max : JSON_STRING_MAX;

        if (!json_is_string(value))
                return json_errors_add(errors, path, "must be a string");
        if (json_string_length(value) == 0 && (f->flags & JSON_NONEMPTY))
                return json_errors_add(errors, path, "must not be empty");
        if (json_string_length(value) > max)
                return json_errors_add(errors, path, "must be at most %" PRIu64 " bytes long", max);
        return free_and_strdup(p, json_string_value(value));
}

static int decode_number(const JsonField *f, json_t *value, const char *path, void *p, JsonErrors *errors) {
        uint64_t type_max = f->type == JSON_FIELD_UNSIGNED ? UINT_MAX : INT64_MAX;
        uint64_t max = f->max > 0 ? f->max : type_max;

        if (!json_is_integer(value))
                return json_errors_add(errors, path, "must be a whole number, %" PRIu64 " to %" PRIu64,
                                f->min, max);
        bool is_zero = json_integer_value(value) == 0 && (f->flags & JSON_OR_ZERO);

        if (!is_zero &&
                        (json_integer_value(value) < 0 || (uint64_t) json_integer_value(value) < f->min ||
                                        (uint64_t) json_integer_value(value) > max))
                return json_errors_add(errors, path, "must be %" PRIu64 " to %" PRIu64 "%s", f->min, max,
                                f->flags & JSON_OR_ZERO ? ", or 0" : "");
        if (f->type == JSON_FIELD_UNSIGNED)
                *(unsigned *) p = (unsigned) json_integer_value(value);
        else
                *(uint64_t *) p = (uint64_t) json_integer_value(value);
        return 0;
}

static int decode_strv(const JsonField *f, json_t *value, const char *path, char ***p, JsonErrors *errors) {
        uint64_t max = f->max > 0 ? f->max : JSON_STRING_MAX;
        size_t n = json_array_size(value), i;
        json_t *item;

        if (!json_is_array(value))
                return json_errors_add(errors, path, "must be a list of strings");
        if (n == 0 && (f->flags & JSON_NONEMPTY))
                return json_errors_add(errors, path, "must not be empty");
        if (n > JSON_LIST_MAX)
                return json_errors_add(errors, path, "must have at most %d entries", JSON_LIST_MAX);

        _cleanup_strv_free_ char **list = new0(char *, n + 1);
        if (!list)
                return -ENOMEM;
        json_array_foreach(value, i, item) {
                if (!json_is_string(item))
                        return json_errors_add(errors, path, "must be a list of strings");
                if (json_string_length(item) > max)
                        return json_errors_add(errors, path,
                                        "must be a list of strings of at most %" PRIu64 " bytes", max);
                list[i] = strdup(json_string_value(item));
                if (!list[i])
                        return -ENOMEM;
        }
        strv_free(*p);
        *p = TAKE_PTR(list);
        return 0;
}

static int decode_enum(const JsonField *f, json_t *value, const char *path, int *p, JsonErrors *errors) {
        const char *word = json_string_value(value);

        if (!word)
                return json_errors_add(errors, path, "must be a string, one of %s", f->expected);
        int k = f->from_string(word);
        if (k >= 0)
                *p = k;
        else if (f->flags & JSON_BUILT_IN)
                return json_errors_add(
                                errors, path, "\"%.64s\" is not built in; built in: %s", word, f->expected);
        else
                return json_errors_add(errors, path, "must be one of %s", f->expected);
        return 0;
}

static int decode_switch(const JsonField *f, json_t *value, const char *path, int *p, JsonErrors *errors) {
        const char *word = json_string_value(value);
        int k = json_is_boolean(value) ? json_is_true(value) : word ? f->from_string(word) : -EINVAL;

        if (k < 0)
                return json_errors_add(errors, path, "must be true, false or one of %s", f->expected);
        *p = k;
        return 0;
}

static int decode_field(const JsonField *f, json_t *value, const char *path, void *p, JsonErrors *errors) {
        switch (f->type) {
        case JSON_FIELD_STRING:
                return decode_string(f, value, path, p, errors);
        case JSON_FIELD_BOOLEAN:
                if (!json_is_boolean(value))
                        return json_errors_add(errors, path, "must be true or false");
                *(bool *) p = json_is_true(value);
                return 0;
        case JSON_FIELD_SWITCH:
                return decode_switch(f, value, path, p, errors);
        case JSON_FIELD_UNSIGNED:
        case JSON_FIELD_UINT64:
                return decode_number(f, value, path, p, errors);
        case JSON_FIELD_STRV:
                return decode_strv(f, value, path, p, errors);
        case JSON_FIELD_ENUM:
                return decode_enum(f, value, path, p, errors);
        case JSON_FIELD_OBJECT:
                return json_table_decode(f->nested, value, path, p, errors);
        case JSON_FIELD_ANY:
                json_decref(*(json_t **) p);
                *(json_t **) p = json_incref(value);
                return 0;
        case JSON_FIELD_KNOWN:
                return 0;
        case JSON_FIELD_KNOWN_OBJECT:
                return json_is_object(value) ? 0 : json_errors_add(errors, path, "must be an object");
        }
        return -EINVAL;
}

static const JsonField *find_field(const JsonField *table, const char *key) {
        for (const JsonField *f = table; f->key; f++)
                if (streq(f->key, key))
                        return f;
        return NULL;
}

static int note_unknown(const JsonField *table, json_t *object, const char *path, JsonErrors *errors) {
        const char *key;
        json_t *value;
        int r;

        json_object_foreach(object, key, value) {
                if (strv_length(errors->unknown) >= JSON_ERRORS_MAX)
                        break;
                if (find_field(table, key))
                        continue;
                _cleanup_free_ char *full = json_path_join(path, key);
                r = full ? add_unknown(errors, full) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        return 0;
}

int json_table_decode(
                const JsonField *table, json_t *object, const char *path, void *base, JsonErrors *errors) {
        int r;

        if (!json_is_object(object))
                return json_errors_add(errors, path, "must be an object");
        for (const JsonField *f = table; f->key; f++) {
                json_t *value = json_object_get(object, f->key);

                if (json_is_null(value) && (f->flags & JSON_NULLABLE))
                        value = NULL;
                /* Most fields of a large table are not given. */
                if (!value && !(f->flags & JSON_REQUIRED))
                        continue;
                _cleanup_free_ char *full = json_path_join(path, f->key);
                if (!full)
                        return -ENOMEM;
                r = value ? decode_field(f, value, full, (char *) base + f->offset, errors)
                          : json_errors_add(errors, full, "must be given");
                if (r < 0)
                        return r;
        }
        return note_unknown(table, object, path, errors);
}

void json_table_done(const JsonField *table, void *base) {
        for (const JsonField *f = table; f->key; f++) {
                void *p = (char *) base + f->offset;

                switch (f->type) {
                case JSON_FIELD_STRING:
                        *(char **) p = mfree(*(char **) p);
                        break;
                case JSON_FIELD_STRV:
                        *(char ***) p = strv_free(*(char ***) p);
                        break;
                case JSON_FIELD_OBJECT:
                        json_table_done(f->nested, p);
                        break;
                case JSON_FIELD_ANY:
                        json_decref(*(json_t **) p);
                        *(json_t **) p = NULL;
                        break;
                case JSON_FIELD_BOOLEAN:
                case JSON_FIELD_SWITCH:
                case JSON_FIELD_UNSIGNED:
                case JSON_FIELD_UINT64:
                case JSON_FIELD_ENUM:
                case JSON_FIELD_KNOWN:
                case JSON_FIELD_KNOWN_OBJECT:
                        break;
                }
        }
}

json_t *json_time(usec_t t) {
        char buf[RFC3339_SIZE];

        return t > 0 ? json_string(format_rfc3339(buf, t)) : json_null();
}
