/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/submitter.h"

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "json/json-table.h"

#define VALUE_MAX 256u

static const struct {
        const char *name;
        size_t offset;
} fields[] = {
        { "user", offsetof(Submitter, user) },
        { "uid", offsetof(Submitter, uid) },
        { "address", offsetof(Submitter, address) },
        { "key", offsetof(Submitter, key) },
        { "session", offsetof(Submitter, session) },
        { "schedule", offsetof(Submitter, schedule) },
};

static char **field_of(const Submitter *s, size_t i) {
        return (char **) ((char *) s + fields[i].offset);
}

void submitter_done(Submitter *s) {
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                free(*field_of(s, i));
        *s = (Submitter){};
}

int submitter_copy(const Submitter *s, Submitter *ret) {
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(fields) && r >= 0; i++)
                r = free_and_strdup(field_of(ret, i), *field_of(s, i));
        return r;
}

bool submitter_equal(const Submitter *a, const Submitter *b) {
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (!streq_ptr(*field_of(a, i), *field_of(b, i)))
                        return false;
        return true;
}

static bool value_is_valid(const char *name, const char *value) {
        uint64_t n;

        if (streq(name, "uid"))
                return parse_uint64(value, &n) >= 0 && n < UINT32_MAX;
        return !isempty(value) && strlen(value) <= VALUE_MAX && utf8_is_valid(value) &&
                        !utf8_has_control(value);
}

int submitter_set(Submitter *s, const char *name, const char *value) {
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (streq(fields[i].name, name))
                        return value_is_valid(name, value) ? free_and_strdup(field_of(s, i), value)
                                                           : -EINVAL;
        return -EINVAL;
}

static char *make_name(const Submitter *s) {
        if (s->user)
                return strdup(s->user);
        if (s->key)
                return strprintf("key %s", s->key);
        if (s->uid)
                return strprintf("user %s", s->uid);
        return s->schedule ? strprintf("schedule %s", s->schedule) : strdup(strempty(s->address));
}

static json_t *submitter_to_json(const Submitter *s) {
        _cleanup_free_ char *name = make_name(s);
        _cleanup_json_ json_t *object = name ? json_pack("{s:s}", "name", name) : NULL;

        for (size_t i = 0; object && i < ELEMENTSOF(fields); i++) {
                const char *value = *field_of(s, i);
                uint64_t n;

                if (!value)
                        continue;
                json_t *v = streq(fields[i].name, "uid") && parse_uint64(value, &n) >= 0
                                ? json_integer((json_int_t) n)
                                : json_string(value);
                if (json_object_set_new(object, fields[i].name, v) < 0)
                        return NULL;
        }
        return TAKE_PTR(object);
}

char *submitter_to_text(const Submitter *s) {
        _cleanup_json_ json_t *object = submitter_to_json(s);

        return object ? json_dumps(object, JSON_COMPACT) : NULL;
}

char *submitter_text_add_schedule(const char *text, const char *id) {
        _cleanup_json_ json_t *object = text ? json_loads(text, 0, NULL) : NULL;
        _cleanup_submitter_ Submitter s = {};

        if (object)
                return json_object_set_new(object, "schedule", json_string(id)) < 0
                                ? NULL
                                : json_dumps(object, JSON_COMPACT);
        return submitter_set(&s, "schedule", id) < 0 ? NULL : submitter_to_text(&s);
}

char *submitter_name_of(const char *text) {
        _cleanup_json_ json_t *object = text ? json_loads(text, 0, NULL) : NULL;

        return strdup(strempty(json_string_value(json_object_get(object, "name"))));
}
