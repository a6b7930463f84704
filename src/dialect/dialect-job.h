/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From the way a dialect writes a job to the canonical spec, and back. A dialect is a table that says which
 * of its fields is which canonical one; the values themselves are checked once, by job_spec_from_json(), and
 * what it finds wrong is told with the names the client used. Pure: JSON in, JSON out. */

#include "spec/job-spec.h"

typedef enum FieldFlags {
        FIELD_SHOWN = 1 << 0, /* given when a canonical spec is put into this dialect's words */
        FIELD_FALLBACK = 1 << 1, /* counts only if nothing further up the table gave the value */
        FIELD_OUT_ONLY = 1 << 2, /* never read, only given */
        FIELD_REQUIRED = 1 << 3, /* a job without the object that it is in is refused; for
                                    dialect_job_schema() */
        FIELD_ZERO_IS_ABSENT = 1
                        << 4, /* a zero value (json_is_zero_value()) is the same as not given, as null is */
} FieldFlags;

typedef struct FieldMap {
        const char *dialect; /* "image.path"; NULL ends a table */
        const char *canonical; /* "source.path"; NULL: a field that is known but asks for nothing (a name) */
        unsigned flags;
        const char *description; /* for the API's own documentation; may be NULL */
} FieldMap;

/* Canonical paths that exist only while a job is translated. */
#define TRANSLATE_DIRECTORY "destination.directory" /* the output's directory; its name is made */

/* A job as a client submitted it. */
typedef struct DialectJob {
        JobSpec *spec; /* the canonical spec, checked; secrets cut out */
        json_t *request; /* what was sent, secrets "***" */
        char *request_text; /* the same */
        json_t *origins; /* {"source.path": "image.path"}: which field gave a canonical one */
        char **warnings; /* one line per field that nothing here knows */
} DialectJob;

void dialect_job_done(DialectJob *j);

/* What typed clients write for a field that nobody set: null, "", 0, and the first instant of the year 1. */
bool json_is_zero_value(const json_t *value);

/* A translation under way: begin, what is special about the dialect, finish. */
typedef struct Translation {
        const FieldMap *map;
        json_t *request; /* borrowed */
        json_t *canonical;
        json_t *origins; /* as in DialectJob */
        char **settled; /* canonical paths about which enough was said */
        const char *output_name; /* of an output that has no name of its own; NULL: the source's */
        JsonErrors *errors; /* the caller's */
} Translation;

/* Moves the values of @request, which is called @what in errors, to their canonical places. Two fields that
 * mean the same and differ, and a plain value where an object belongs, are errors. 0, -EBADMSG if the
 * request itself is no object, or -ENOMEM; done in either case. */
int translation_begin(
                Translation *t, const FieldMap *map, const char *what, json_t *request, JsonErrors *errors);
void translation_done(Translation *t);

/* Takes one more field of the request, if it is there, for a canonical one that nothing gave so far. 0 or
 * -ENOMEM. */
int translation_take(Translation *t, const char *dialect, const char *canonical);

/* The value at a canonical path, or NULL; as a string, or NULL if it is none. Borrowed. */
json_t *translation_get(const Translation *t, const char *canonical);
const char *translation_get_string(const Translation *t, const char *canonical);
/* Sets a value; steals @value. 0 or -ENOMEM. */
int translation_set(Translation *t, const char *canonical, json_t *value);
/* Says what is wrong with the canonical field, by the client's name for it; nothing more will be said about
 * it or what is below it. 0 or -ENOMEM. */
int translation_error(Translation *t, const char *canonical, const char *format, ...) _printf_(3, 4);

/* Enough was said about the canonical field and what is below it; and whether it was. */
int translation_settle(Translation *t, const char *canonical);
bool translation_is_settled(const Translation *t, const char *canonical);

/* Checks the whole. 0 with *ret; -EBADMSG with the caller's errors; -ENOMEM. */
int translation_finish(Translation *t, DialectJob *ret);

/* The manager knows canonical names only: adds its errors, @from, to @ret by the names the client used. 0 or
 * -ENOMEM. */
int dialect_errors_rename(const FieldMap *map, json_t *origins, const JsonErrors *from, JsonErrors *ret);

/* The other way: a canonical spec in a dialect's words. New reference; NULL when out of memory. */
json_t *dialect_job_from_canonical(const FieldMap *map, const json_t *canonical);

/* "a.b.c" below @object: get (borrowed, NULL if it is not there), set (steals @value, makes the objects on
 * the way; -EINVAL if something else is in the way). */
json_t *json_path_get(const json_t *object, const char *path);
int json_path_set(json_t *object, const char *path, json_t *value);
