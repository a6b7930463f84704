/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Decoding JSON objects into plain structs by table. Every byte comes from outside: a decoder checks type,
 * range and length, collects all that is wrong (not only the first), each with the field that it is about,
 * and remembers unknown keys. */

#include <jansson.h>

#include "basic/macro.h"
#include "basic/time-util.h"

typedef enum JsonType {
        JSON_FIELD_STRING, /* char *: copied, freed by json_table_done() */
        JSON_FIELD_BOOLEAN, /* bool */
        JSON_FIELD_SWITCH, /* int: false is 0, true is 1, and further words as for ENUM, from 2 on */
        JSON_FIELD_UNSIGNED, /* unsigned */
        JSON_FIELD_UINT64, /* uint64_t */
        JSON_FIELD_STRV, /* char **: list of strings */
        JSON_FIELD_ENUM, /* int: from_string() gives a negative value for what it does not know */
        JSON_FIELD_OBJECT, /* nested struct at the offset: @nested decodes into it */
        JSON_FIELD_ANY, /* json_t *: a reference to the value as it is */
        JSON_FIELD_KNOWN, /* nothing: the key is known, the value is somebody else's business */
        JSON_FIELD_KNOWN_OBJECT, /* the same, but it must be an object */
} JsonType;

typedef enum JsonFieldFlags {
        JSON_REQUIRED = 1 << 0,
        JSON_NULLABLE = 1 << 1, /* null is the same as not given */
        JSON_NONEMPTY = 1 << 2, /* strings and lists */
        JSON_BUILT_IN = 1 << 3, /* ENUM: an unknown word is "not built in", and @expected lists what is */
        JSON_OR_ZERO = 1 << 4, /* numbers: 0 is taken as well, below the range */
} JsonFieldFlags;

typedef struct JsonField {
        const char *key; /* NULL ends a table */
        JsonType type;
        size_t offset;
        unsigned flags;
        uint64_t min, max; /* numbers: range (max 0: what the type holds); strings, also in lists: max is the
                              longest length in bytes (0: JSON_STRING_MAX) */
        const struct JsonField *nested; /* OBJECT */
        int (*from_string)(const char *); /* ENUM, SWITCH */
        const char *expected; /* ENUM: the words, "a, b, c"; SWITCH: those besides true and false */
        const char *aliases; /* ENUM: words that are taken as well, likewise; may be NULL */
} JsonField;

#define JSON_STRING_MAX 4096
#define JSON_LIST_MAX 1024 /* entries of a STRV */

/* What was found wrong; an empty list means success. Each list holds JSON_ERRORS_MAX entries at most, of one
 * line each: what comes from outside is shortened, its control characters replaced. */
#define JSON_ERRORS_MAX 64

typedef struct JsonError {
        char *field; /* "execution_policy.timeout_seconds"; "" for the whole */
        char *text; /* "must be 60 to 86400" */
} JsonError;

typedef struct JsonErrors {
        JsonError *errors;
        size_t n_errors;
        char **unknown; /* "execution_policy.colour": keys that no table knows */
} JsonErrors;

/* "path.key", or only the key if @path is "". Allocated; NULL when out of memory. */
char *json_path_join(const char *path, const char *key);

void json_errors_done(JsonErrors *e);
int json_errors_add(JsonErrors *e, const char *field, const char *format, ...) _printf_(3, 4);
/* The errors of a decoder of what is below @prefix: "job" makes "job.source.path" of its "source.path". */
int json_errors_adopt(JsonErrors *e, const char *prefix, const JsonErrors *from);
/* For people: "field: text", or only the text of an error of the whole. NULL when out of memory. */
char *json_error_text(const JsonError *e);
/* All errors joined with "; ". NULL when out of memory. */
char *json_errors_text(const JsonErrors *e);
/* True if there is an error about exactly this field. */
bool json_errors_has(const JsonErrors *e, const char *field);

/* Decodes @object by @table into @base (which must hold defaults). @path is put before each key ("" at the
 * top, "source" below). Returns 0 even if fields are wrong: look at @errors. -ENOMEM otherwise. */
int json_table_decode(
                const JsonField *table, json_t *object, const char *path, void *base, JsonErrors *errors);

/* Frees what json_table_decode() put into @base. */
void json_table_done(const JsonField *table, void *base);

/* json_decref() when the scope ends. */
#define _cleanup_json_ _cleanup_(json_decrefp)

/* RFC 3339 in UTC; null for 0, "not yet". A new reference, or NULL when out of memory. */
json_t *json_time(usec_t t);
