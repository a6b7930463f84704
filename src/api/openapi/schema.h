/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What JSON looks like, as tables: the answers of an API, written beside the functions that make them, and
 * what stands in the tables of decoders. openapi.h makes the API's own documentation of it. Pure. */

#include <jansson.h>

#include "json/json-table.h"

typedef enum SchemaType {
        SCHEMA_ANY,
        SCHEMA_STRING,
        SCHEMA_TIMESTAMP, /* RFC 3339 */
        SCHEMA_WORD, /* one of @word's */
        SCHEMA_INTEGER, /* not negative: nothing here is; at most @max, if that is not 0 */
        SCHEMA_NUMBER, /* any */
        SCHEMA_BOOLEAN,
        SCHEMA_OBJECT, /* @schema says what is in it; NULL: anything */
        SCHEMA_ARRAY, /* of what @schema, or else @word, says; NULL: of strings */
        SCHEMA_ARRAY_ANY, /* of anything */
        SCHEMA_MAP, /* an object with keys that nobody knows beforehand, and strings as values */
} SchemaType;

typedef enum SchemaFlags {
        SCHEMA_NULLABLE = 1 << 0,
        SCHEMA_OPTIONAL = 1 << 1, /* may be missing; all else is always there */
} SchemaFlags;

typedef struct Schema Schema;

typedef struct SchemaField {
        const char *key; /* NULL ends a table */
        SchemaType type;
        unsigned flags;
        const char *description; /* for people; NULL: the key says it all */
        const Schema *schema;
        const char *(*word)(int i); /* WORD: the words, from 0; NULL behind the last */
        int64_t max;
} SchemaField;

/* An object. */
struct Schema {
        const char *name; /* among the schemas of a document: unique, letters and digits */
        const char *description; /* may be NULL */
        const SchemaField *fields;
        json_t *(*make)(void); /* instead of @fields: makes the JSON Schema from other tables */
};

/* A value as a JSON Schema, in the form that OpenAPI 3.0 has them: new reference, NULL when out of memory.
 * Objects that have a name become references; they themselves, and those that they refer to, are added to
 * @components unless they are there. */
json_t *schema_field_json(const SchemaField *f, json_t *components);
/* The reference to an object, {"$ref": …}, likewise. */
json_t *schema_ref_json(const Schema *s, json_t *components);

/* What a decoder takes. An OBJECT's fields are not looked at. */
json_t *schema_from_json_field(const JsonField *f);
/* {"type": "string", "enum": […]} of "a, b, c", or "one of a, b, c"; @more, likewise, may be NULL. */
json_t *schema_from_words(const char *words, const char *more);
