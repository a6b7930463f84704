/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <limits.h>

#include "api/openapi/schema.h"
#include "basic/string-util.h"

static json_t *typed(const char *type) {
        return json_pack("{s:s}", "type", type);
}

static json_t *words_json(const char *(*word)(int i)) {
        _cleanup_json_ json_t *words = json_array();

        for (int i = 0; words && word(i); i++)
                if (json_array_append_new(words, json_string(word(i))) < 0)
                        return NULL;
        return json_pack("{s:s, s:O}", "type", "string", "enum", words);
}

static json_t *integer_json(uint64_t min, uint64_t max) {
        json_t *j = json_pack("{s:s, s:I}", "type", "integer", "minimum", (json_int_t) min);

        if (j && max > 0 && max <= INT64_MAX &&
                        json_object_set_new(j, "maximum", json_integer((json_int_t) max)) < 0) {
                json_decref(j);
                return NULL;
        }
        return j;
}

static json_t *object_json(const Schema *s, json_t *components);

static json_t *value_json(const SchemaField *f, json_t *components) {
        switch (f->type) {
        case SCHEMA_ANY:
                return json_object();
        case SCHEMA_STRING:
                return typed("string");
        case SCHEMA_TIMESTAMP:
                return json_pack("{s:s, s:s}", "type", "string", "format", "date-time");
        case SCHEMA_WORD:
                return words_json(f->word);
        case SCHEMA_INTEGER:
                return integer_json(0, (uint64_t) f->max);
        case SCHEMA_NUMBER:
                return typed("number");
        case SCHEMA_BOOLEAN:
                return typed("boolean");
        case SCHEMA_OBJECT:
                if (!f->schema)
                        return typed("object");
                /* A reference would be to one that null is not ("nullable" says something about the "type"
                 * beside it and nothing else). */
                return f->flags & SCHEMA_NULLABLE ? object_json(f->schema, components)
                                                  : schema_ref_json(f->schema, components);
        case SCHEMA_ARRAY:
                return json_pack("{s:s, s:o}", "type", "array", "items",
                                f->schema                 ? schema_ref_json(f->schema, components)
                                                : f->word ? words_json(f->word)
                                                          : typed("string"));
        case SCHEMA_ARRAY_ANY:
                return json_pack("{s:s, s:{}}", "type", "array", "items");
        case SCHEMA_MAP:
                return json_pack("{s:s, s:o}", "type", "object", "additionalProperties", typed("string"));
        }
        return NULL;
}

json_t *schema_field_json(const SchemaField *f, json_t *components) {
        _cleanup_json_ json_t *value = value_json(f, components);

        if (!value)
                return NULL;
        /* What stands beside a reference is not looked at (OpenAPI 3.0.3, "Reference Object"). */
        if (json_object_get(value, "$ref") && f->description) {
                json_t *all = json_pack("{s:[O]}", "allOf", value);

                if (!all)
                        return NULL;
                json_decref(value);
                value = all;
        }
        if (f->description && json_object_set_new(value, "description", json_string(f->description)) < 0)
                return NULL;
        if ((f->flags & SCHEMA_NULLABLE) && json_object_set_new(value, "nullable", json_true()) < 0)
                return NULL;
        return TAKE_PTR(value);
}

static json_t *object_json(const Schema *s, json_t *components) {
        _cleanup_json_ json_t *properties = json_object(), *required = json_array(), *object = NULL;

        if (s->make)
                return s->make();
        if (!properties || !required)
                return NULL;
        for (const SchemaField *f = s->fields; f->key; f++) {
                if (json_object_set_new(properties, f->key, schema_field_json(f, components)) < 0)
                        return NULL;
                if (!(f->flags & SCHEMA_OPTIONAL) &&
                                json_array_append_new(required, json_string(f->key)) < 0)
                        return NULL;
        }
        object = json_pack("{s:s, s:O}", "type", "object", "properties", properties);
        if (!object)
                return NULL;
        /* An empty list is not allowed there. */
        if (json_array_size(required) > 0 && json_object_set(object, "required", required) < 0)
                return NULL;
        return TAKE_PTR(object);
}

json_t *schema_ref_json(const Schema *s, json_t *components) {
        _cleanup_free_ char *ref = strprintf("#/components/schemas/%s", s->name);
        json_t *object;

        if (!ref)
                return NULL;
        if (!json_object_get(components, s->name)) {
                /* First of all its place: it may refer to itself. */
                if (json_object_set_new(components, s->name, json_object()) < 0)
                        return NULL;
                object = object_json(s, components);
                if (object && s->description &&
                                json_object_set_new(object, "description", json_string(s->description)) <
                                                0) {
                        json_decref(object);
                        return NULL;
                }
                if (json_object_set_new(components, s->name, object) < 0)
                        return NULL;
        }
        return json_pack("{s:s}", "$ref", ref);
}

static int add_words(json_t *list, const char *words) {
        _cleanup_free_ char *copy = NULL;
        const char *rest = words ? startswith(words, "one of ") : NULL;
        char *at, *word;

        if (!words)
                return 0;
        copy = strdup(rest ? rest : words);
        if (!copy)
                return -ENOMEM;
        at = copy;
        while ((word = strsep(&at, ",")))
                if (json_array_append_new(list, json_string(word + strspn(word, " "))) < 0)
                        return -ENOMEM;
        return 0;
}

json_t *schema_from_words(const char *words, const char *more) {
        _cleanup_json_ json_t *list = json_array();

        if (!list || add_words(list, words) < 0 || add_words(list, more) < 0)
                return NULL;
        return json_pack("{s:s, s:O}", "type", "string", "enum", list);
}

/* Lengths are counted in bytes by decoders, in characters by schemas: who keeps to the former has kept to
 * the latter. */
static json_t *string_json(const JsonField *f) {
        json_t *j = json_pack("{s:s, s:I}", "type", "string", "maxLength",
                        (json_int_t) (f->max > 0 ? f->max : JSON_STRING_MAX));

        if (j && (f->flags & JSON_NONEMPTY) && json_object_set_new(j, "minLength", json_integer(1)) < 0) {
                json_decref(j);
                return NULL;
        }
        return j;
}

static json_t *strv_json(const JsonField *f) {
        JsonField item = { .type = JSON_FIELD_STRING, .max = f->max };
        json_t *j = json_pack("{s:s, s:o, s:i}", "type", "array", "items", string_json(&item), "maxItems",
                        JSON_LIST_MAX);

        if (j && (f->flags & JSON_NONEMPTY) && json_object_set_new(j, "minItems", json_integer(1)) < 0) {
                json_decref(j);
                return NULL;
        }
        return j;
}

/* true, false, and words. */
static json_t *switch_json(const JsonField *f) {
        json_t *j = schema_from_words(f->expected, f->aliases), *words = json_object_get(j, "enum");

        if (!words || json_object_del(j, "type") < 0 || json_array_append_new(words, json_true()) < 0 ||
                        json_array_append_new(words, json_false()) < 0) {
                json_decref(j);
                return NULL;
        }
        return j;
}

json_t *schema_from_json_field(const JsonField *f) {
        switch (f->type) {
        case JSON_FIELD_STRING:
                return string_json(f);
        case JSON_FIELD_BOOLEAN:
                return typed("boolean");
        case JSON_FIELD_SWITCH:
                return switch_json(f);
        case JSON_FIELD_UNSIGNED:
                return integer_json(f->min, f->max > 0 ? f->max : UINT_MAX);
        case JSON_FIELD_UINT64:
                return integer_json(f->min, f->max);
        case JSON_FIELD_STRV:
                return strv_json(f);
        case JSON_FIELD_ENUM:
                return schema_from_words(f->expected, f->aliases);
        case JSON_FIELD_OBJECT:
        case JSON_FIELD_KNOWN_OBJECT:
                return typed("object");
        case JSON_FIELD_ANY:
        case JSON_FIELD_KNOWN:
                return json_object();
        }
        return NULL;
}
