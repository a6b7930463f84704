/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a dialect's job may look like, from the table that translates it and the canonical decoder's. */

#include "api/openapi/dialect-schema.h"
#include "api/openapi/schema.h"
#include "basic/string-util.h"
#include "spec/job-fields.h"

/* Objects keep what they do not know. null is the same as not given, so only what is required must not
 * be. */
static json_t *object_new(void) {
        return json_pack("{s:s, s:{}, s:b, s:b}", "type", "object", "properties", "additionalProperties", 1,
                        "nullable", 1);
}

static int require(json_t *object, json_t *property, const char *key) {
        json_t *required = json_object_get(object, "required");
        json_t *value;
        size_t i;

        (void) json_object_del(property, "nullable");
        json_array_foreach(required, i, value)
                if (streq(json_string_value(value), key))
                        return 0;
        if (!required) {
                required = json_array();
                if (json_object_set_new(object, "required", required) < 0)
                        return -ENOMEM;
        }
        return json_array_append_new(required, json_string(key)) < 0 ? -ENOMEM : 0;
}

static json_t *leaf_new(const FieldMap *m) {
        const JsonField *f = m->canonical ? job_field(m->canonical) : NULL;
        _cleanup_json_ json_t *leaf = f ? schema_from_json_field(f) : json_object();

        if (!leaf || json_object_set_new(leaf, "nullable", json_true()) < 0)
                return NULL;
        /* (A list of words without null would not let it pass.) */
        if (json_object_get(leaf, "enum") &&
                        json_array_append_new(json_object_get(leaf, "enum"), json_null()) < 0)
                return NULL;
        if (m->description && json_object_set_new(leaf, "description", json_string(m->description)) < 0)
                return NULL;
        return TAKE_PTR(leaf);
}

/* Where a field may be the one or the other, a path or a URI, the longer one is the limit. */
static int widen(json_t *leaf, const FieldMap *m) {
        const JsonField *f = m->canonical ? job_field(m->canonical) : NULL;
        json_t *there = json_object_get(leaf, "maxLength");

        if (f && f->type == JSON_FIELD_STRING && there && (json_int_t) f->max > json_integer_value(there))
                return json_integer_set(there, (json_int_t) f->max);
        return 0;
}

static int add_field(json_t *object, const FieldMap *m) {
        const char *path = m->dialect, *dot;

        for (;;) {
                json_t *properties = json_object_get(object, "properties"), *property;
                char key[64];
                size_t n;

                dot = strchr(path, '.');
                n = dot ? (size_t) (dot - path) : strlen(path);
                if (!properties || n >= sizeof(key))
                        return -EINVAL;
                memcpy(key, path, n);
                key[n] = '\0';

                property = json_object_get(properties, key);
                if (property && !dot)
                        return widen(property, m);
                if (!property) {
                        property = dot ? object_new() : leaf_new(m);
                        if (json_object_set_new(properties, key, property) < 0)
                                return -ENOMEM;
                }
                if (dot && (m->flags & FIELD_REQUIRED) && require(object, property, key) < 0)
                        return -ENOMEM;
                if (!dot)
                        return 0;
                object = property;
                path = dot + 1;
        }
}

json_t *dialect_job_schema(const FieldMap *map) {
        _cleanup_json_ json_t *object = object_new();

        if (!object)
                return NULL;
        (void) json_object_del(object, "nullable");
        for (const FieldMap *m = map; m->dialect; m++)
                if (add_field(object, m) < 0)
                        return NULL;
        return TAKE_PTR(object);
}
