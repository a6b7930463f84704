/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <yaml.h>

#include "api/http/yaml-body.h"
#include "basic/string-util.h"
#include "json/json-parse.h"
#include "json/json-table.h"

#define CORE_TAG "tag:yaml.org,2002:"

typedef struct Reader {
        yaml_parser_t parser;
        yaml_event_t event;
        json_t *anchors; /* values by the name of their anchor */
        size_t n_values;
        char **ret_error;
} Reader;

bool content_type_is_yaml(const char *content_type) {
        static const char *const types[] = { "application/yaml", "application/x-yaml", "text/yaml",
                "text/x-yaml" };
        size_t n = content_type ? strcspn(content_type, "; \t") : 0;

        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (strlen(types[i]) == n && strncasecmp(types[i], content_type, n) == 0)
                        return true;
        return false;
}

static int refuse(Reader *r, yaml_mark_t mark, const char *what) {
        *r->ret_error = strprintf("line %zu, column %zu: %s", mark.line + 1, mark.column + 1, what);
        return *r->ret_error ? -EBADMSG : -ENOMEM;
}

static int next_event(Reader *r) {
        yaml_event_delete(&r->event);
        if (yaml_parser_parse(&r->parser, &r->event))
                return 0;
        if (r->parser.error == YAML_MEMORY_ERROR)
                return -ENOMEM;
        return refuse(r, r->parser.problem_mark,
                        r->parser.problem ? r->parser.problem : "the text is malformed");
}

static size_t count_values(const json_t *value) {
        const char *key;
        size_t n = 1, i;
        json_t *item;

        json_array_foreach(value, i, item)
                n += count_values(item);
        json_object_foreach((json_t *) value, key, item)
                n += count_values(item);
        return n;
}

static size_t depth_of(const json_t *value) {
        const char *key;
        size_t depth = 0, i;
        json_t *item;

        json_array_foreach(value, i, item) {
                size_t below = depth_of(item);

                depth = MAX(depth, below);
        }
        json_object_foreach((json_t *) value, key, item) {
                size_t below = depth_of(item);

                depth = MAX(depth, below);
        }
        return depth + 1;
}

static int count(Reader *r, size_t n) {
        r->n_values += n;
        return r->n_values <= YAML_VALUES_MAX ? 0
                                              : refuse(r, r->event.start_mark, "there are too many values");
}

/* --- scalars --------------------------------------------------------------------------------------- */

static bool is_null(const char *s) {
        return !*s || streq(s, "~") || streq(s, "null") || streq(s, "Null") || streq(s, "NULL");
}

static bool is_word(const char *s, const char *lower, const char *title, const char *upper) {
        return streq(s, lower) || streq(s, title) || streq(s, upper);
}

/* The number of digits at *p, which is moved behind them. */
static size_t skip_digits(const char **p) {
        size_t n = strspn(*p, "0123456789");

        *p += n;
        return n;
}

/* [-+]? ( [0-9]+ ( \. [0-9]* )? | \. [0-9]+ ) ( [eE] [-+]? [0-9]+ )?; one with a leading zero is text: an
 * identifier, or octal to others. */
static bool is_number(const char *s, bool *ret_integer) {
        const char *p = s + (*s == '-' || *s == '+');
        bool leading_zero = p[0] == '0' && p[1] >= '0' && p[1] <= '9';
        size_t whole = skip_digits(&p), fraction = 0;

        *ret_integer = true;
        if (*p == '.') {
                p++;
                fraction = skip_digits(&p);
                *ret_integer = false;
        }
        if (leading_zero || whole + fraction == 0)
                return false;
        if (*p == 'e' || *p == 'E') {
                p++;
                p += *p == '-' || *p == '+';
                if (skip_digits(&p) == 0)
                        return false;
                *ret_integer = false;
        }
        return !*p;
}

static int number_to_json(Reader *r, const char *s, bool integer, json_t **ret) {
        errno = 0;
        *ret = integer ? json_integer(strtoll(s, NULL, 10)) : json_real(strtod(s, NULL));
        if (errno == ERANGE) {
                json_decref(*ret);
                *ret = NULL;
                return refuse(r, r->event.start_mark, "the number is out of range");
        }
        return *ret ? 0 : -ENOMEM;
}

/* Plain words are what they look like, quoted ones and those tagged !!str are strings. */
static int scalar_to_json(Reader *r, json_t **ret) {
        const char *s = (const char *) r->event.data.scalar.value,
                   *tag = (const char *) r->event.data.scalar.tag;
        bool plain = r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                        !(tag && streq(tag, CORE_TAG "str")),
             integer;

        if (strlen(s) != r->event.data.scalar.length)
                return refuse(r, r->event.start_mark, "there is a NUL byte");
        if (plain && is_null(s))
                *ret = json_null();
        else if (plain && is_word(s, "true", "True", "TRUE"))
                *ret = json_true();
        else if (plain && is_word(s, "false", "False", "FALSE"))
                *ret = json_false();
        else if (plain && is_number(s, &integer))
                return number_to_json(r, s, integer, ret);
        else
                *ret = json_string(s);
        return *ret ? 0 : -ENOMEM;
}

/* --- values ---------------------------------------------------------------------------------------- */

static int read_value(Reader *r, unsigned depth, json_t **ret);

static int read_list(Reader *r, unsigned depth, json_t **ret) {
        _cleanup_json_ json_t *list = json_array();

        if (!list)
                return -ENOMEM;
        for (;;) {
                json_t *item;
                int k = next_event(r);

                if (k < 0)
                        return k;
                if (r->event.type == YAML_SEQUENCE_END_EVENT)
                        break;
                k = read_value(r, depth, &item);
                if (k < 0)
                        return k;
                if (json_array_append_new(list, item) < 0)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(list);
        return 0;
}

/* "<<: *other" gives the fields of another mapping, or of several, that are not given here. */
static int add_merge(Reader *r, yaml_mark_t mark, json_t *merged, json_t *value) {
        size_t n = json_is_array(value) ? json_array_size(value) : 1;

        for (size_t i = 0; i < n; i++) {
                json_t *from = json_is_array(value) ? json_array_get(value, i) : value;

                if (!json_is_object(from))
                        return refuse(r, mark, "the value of << must be a mapping or a list of mappings");
                if (json_object_update_missing(merged, from) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int read_key(Reader *r, char **ret, bool *ret_merge) {
        const char *s;

        if (r->event.type != YAML_SCALAR_EVENT)
                return refuse(r, r->event.start_mark, "a key must be a word");
        s = (const char *) r->event.data.scalar.value;
        if (strlen(s) != r->event.data.scalar.length)
                return refuse(r, r->event.start_mark, "there is a NUL byte");
        *ret_merge = r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && streq(s, "<<");
        *ret = strdup(s);
        return *ret ? 0 : -ENOMEM;
}

static int read_entry(Reader *r, unsigned depth, json_t *object, json_t *merged) {
        yaml_mark_t mark = r->event.start_mark;
        _cleanup_free_ char *key = NULL;
        _cleanup_json_ json_t *value = NULL;
        bool merge;
        int k;

        k = read_key(r, &key, &merge);
        if (k < 0)
                return k;
        if (json_object_get(object, key))
                return refuse(r, mark, "the key is given twice");
        k = next_event(r);
        if (k < 0)
                return k;
        k = read_value(r, depth, &value);
        if (k < 0)
                return k;
        if (merge)
                return add_merge(r, mark, merged, value);
        return json_object_set(object, key, value) < 0 ? -ENOMEM : 0;
}

static int read_mapping(Reader *r, unsigned depth, json_t **ret) {
        _cleanup_json_ json_t *object = json_object(), *merged = json_object();

        if (!object || !merged)
                return -ENOMEM;
        for (;;) {
                int k = next_event(r);

                if (k < 0)
                        return k;
                if (r->event.type == YAML_MAPPING_END_EVENT)
                        break;
                k = read_entry(r, depth, object, merged);
                if (k < 0)
                        return k;
        }
        if (json_object_update_missing(object, merged) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(object);
        return 0;
}

/* A copy of what the anchor stands on; the limits count it like any other value. */
static int read_alias(Reader *r, unsigned depth, json_t **ret) {
        json_t *value = json_object_get(r->anchors, (const char *) r->event.data.alias.anchor);
        int k;

        if (!value)
                return refuse(r, r->event.start_mark, "there is no such anchor before this");
        if (depth_of(value) > depth + 1)
                return refuse(r, r->event.start_mark, "the value is nested too deeply");
        k = count(r, count_values(value));
        if (k < 0)
                return k;
        *ret = json_deep_copy(value);
        return *ret ? 0 : -ENOMEM;
}

/* The tags of JSON's types say nothing new; others ask for types that JSON does not have. */
static int check_tag(Reader *r, const yaml_char_t *tag) {
        static const char *const known[] = { "str", "int", "float", "bool", "null", "map", "seq" };
        const char *name = tag ? startswith((const char *) tag, CORE_TAG) : NULL;

        if (!tag)
                return 0;
        for (size_t i = 0; name && i < ELEMENTSOF(known); i++)
                if (streq(known[i], name))
                        return 0;
        return refuse(r, r->event.start_mark, "the tag is not supported");
}

static int read_content(Reader *r, unsigned depth, json_t **ret) {
        if (r->event.type == YAML_SCALAR_EVENT)
                return scalar_to_json(r, ret);
        if (depth == 0)
                return refuse(r, r->event.start_mark, "the value is nested too deeply");
        if (r->event.type == YAML_SEQUENCE_START_EVENT)
                return read_list(r, depth - 1, ret);
        return read_mapping(r, depth - 1, ret);
}

/* The value that the current event begins. */
static int read_value(Reader *r, unsigned depth, json_t **ret) {
        const yaml_char_t *anchor = NULL, *tag = NULL;
        _cleanup_free_ char *name = NULL;
        int k;

        *ret = NULL;
        if (r->event.type == YAML_ALIAS_EVENT)
                return read_alias(r, depth, ret);
        if (r->event.type == YAML_SCALAR_EVENT) {
                anchor = r->event.data.scalar.anchor;
                tag = r->event.data.scalar.tag;
        } else if (r->event.type == YAML_SEQUENCE_START_EVENT) {
                anchor = r->event.data.sequence_start.anchor;
                tag = r->event.data.sequence_start.tag;
        } else {
                anchor = r->event.data.mapping_start.anchor;
                tag = r->event.data.mapping_start.tag;
        }

        k = check_tag(r, tag);
        if (k < 0)
                return k;
        k = count(r, 1);
        if (k < 0)
                return k;
        name = anchor ? strdup((const char *) anchor) : NULL;
        if (anchor && !name)
                return -ENOMEM;
        k = read_content(r, depth, ret);
        if (k < 0 || !name)
                return k;
        if (json_object_set(r->anchors, name, *ret) < 0) {
                json_decref(*ret);
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

/* STREAM-START DOCUMENT-START … DOCUMENT-END STREAM-END */
static int read_stream(Reader *r, json_t **ret) {
        _cleanup_json_ json_t *value = NULL;
        int k;

        for (unsigned i = 0; i < 3; i++) {
                k = next_event(r);
                if (k < 0)
                        return k;
                if (r->event.type == YAML_STREAM_END_EVENT)
                        return refuse(r, r->event.start_mark, "there is no document");
        }
        k = read_value(r, JSON_DEPTH_MAX, &value);
        if (k < 0)
                return k;
        for (unsigned i = 0; i < 2; i++) {
                k = next_event(r);
                if (k < 0)
                        return k;
        }
        if (r->event.type != YAML_STREAM_END_EVENT)
                return refuse(r, r->event.start_mark, "there must be a single document");
        *ret = TAKE_PTR(value);
        return 0;
}

int yaml_parse_any(const char *text, size_t size, json_t **ret, char **ret_error) {
        Reader r = { .ret_error = ret_error, .anchors = json_object() };
        int k;

        if (!r.anchors)
                return -ENOMEM;
        if (!yaml_parser_initialize(&r.parser)) {
                json_decref(r.anchors);
                return -ENOMEM;
        }
        yaml_parser_set_input_string(&r.parser, (const unsigned char *) text, size);
        yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
        k = read_stream(&r, ret);
        yaml_event_delete(&r.event);
        yaml_parser_delete(&r.parser);
        json_decref(r.anchors);
        return k;
}
