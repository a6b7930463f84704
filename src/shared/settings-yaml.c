/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One configuration file: sections of settings, and the list of webhooks, read event by event so that every
 * complaint has its line and nothing is expanded. */

#include "shared/settings-yaml.h"

#include <fcntl.h>
#include <yaml.h>

#include "basic/fd-util.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "shared/webhook.h"

#define LIST_MAX 256
#define FILE_MAX ((size_t) 1024 * 1024)

typedef struct Reader {
        yaml_parser_t parser;
        yaml_event_t event;
        const char *file;
        const SettingsEntry *entries;
        void *base; /* the struct that they are about */
        json_t **webhooks; /* where they go; NULL: this file has none */
        uint64_t seen; /* entries that this file has set already */
        char **sections; /* and the sections */
        char **keys; /* and keys of sections that take any */
        char **ret_error;
} Reader;

static int complain(Reader *d, size_t line, const char *key, const char *what) {
        *d->ret_error = key ? strprintf("%s:%zu: %s: %s", d->file, line + 1, key, what)
                            : strprintf("%s:%zu: %s", d->file, line + 1, what);
        return *d->ret_error ? -EBADMSG : -ENOMEM;
}

static const yaml_char_t *event_anchor(const yaml_event_t *e) {
        switch (e->type) {
        case YAML_SCALAR_EVENT:
                return e->data.scalar.anchor;
        case YAML_SEQUENCE_START_EVENT:
                return e->data.sequence_start.anchor;
        case YAML_MAPPING_START_EVENT:
                return e->data.mapping_start.anchor;
        default:
                return NULL;
        }
}

static const yaml_char_t *event_tag(const yaml_event_t *e) {
        switch (e->type) {
        case YAML_SCALAR_EVENT:
                return e->data.scalar.tag;
        case YAML_SEQUENCE_START_EVENT:
                return e->data.sequence_start.tag;
        case YAML_MAPPING_START_EVENT:
                return e->data.mapping_start.tag;
        default:
                return NULL;
        }
}

/* The next event is in d->event; what this file format does not have is refused here. */
static int next_event(Reader *d) {
        yaml_event_delete(&d->event);
        if (!yaml_parser_parse(&d->parser, &d->event)) {
                if (d->parser.error == YAML_MEMORY_ERROR)
                        return -ENOMEM;
                return complain(d, d->parser.problem_mark.line, NULL,
                                d->parser.problem ? d->parser.problem : "this is no YAML");
        }
        if (d->event.type == YAML_ALIAS_EVENT || event_anchor(&d->event))
                return complain(d, d->event.start_mark.line, NULL, "anchors and aliases are not supported");
        if (event_tag(&d->event))
                return complain(d, d->event.start_mark.line, NULL, "tags are not supported");
        return 0;
}

static const char *scalar_text(const Reader *d) {
        return (const char *) d->event.data.scalar.value;
}

/* A key, copied; NULL at the end of the mapping. */
static int next_key(Reader *d, const char *section, char **ret, size_t *ret_line) {
        int r = next_event(d);

        if (r < 0)
                return r;
        *ret_line = d->event.start_mark.line;
        if (d->event.type == YAML_MAPPING_END_EVENT) {
                *ret = NULL;
                return 0;
        }
        if (d->event.type != YAML_SCALAR_EVENT || strlen(scalar_text(d)) != d->event.data.scalar.length)
                return complain(d, *ret_line, section, "a key must be a word");
        *ret = strdup(scalar_text(d));
        return *ret ? 0 : -ENOMEM;
}

static bool is_null_scalar(const Reader *d) {
        const char *s = scalar_text(d);

        return d->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                        (!*s || streq(s, "~") || streq(s, "null"));
}

/* Reads a scalar, or a list of scalars, into @v; what is nested deeper is an error. */
static int read_value(Reader *d, const char *key, SettingsValue *v) {
        int r = next_event(d);

        if (r < 0)
                return r;
        v->is_list = d->event.type == YAML_SEQUENCE_START_EVENT;
        for (;;) {
                if (v->is_list) {
                        r = next_event(d);
                        if (r < 0)
                                return r;
                        if (d->event.type == YAML_SEQUENCE_END_EVENT)
                                return 0;
                }
                if (d->event.type != YAML_SCALAR_EVENT)
                        return complain(d, d->event.start_mark.line, key,
                                        "must be a value or a list of values");
                if (is_null_scalar(d) || strlen(scalar_text(d)) != d->event.data.scalar.length)
                        return complain(d, d->event.start_mark.line, key, "must not be empty");
                if (strv_length(v->items) >= LIST_MAX)
                        return complain(d, d->event.start_mark.line, key, "must have fewer entries");
                v->is_quoted = d->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
                r = strv_extend(&v->items, scalar_text(d));
                if (r < 0 || !v->is_list)
                        return r;
        }
}

static bool is_key(const SettingsEntry *e, const char *key) {
        return streq(e->key, "*") || streq(e->key, key);
}

static int read_entry(Reader *d, const char *section, const char *key, size_t line) {
        _cleanup_free_ char *full = strprintf("%s.%s", section, key);
        SettingsValue v = {};
        const SettingsEntry *e;
        uint64_t bit = 1;
        int r;

        if (!full)
                return -ENOMEM;
        for (e = d->entries; e->section && !(streq(e->section, section) && is_key(e, key)); e++)
                bit <<= 1;
        if (!e->section)
                return complain(d, line, full, "there is no such setting");
        if (streq(e->key, "*") ? strv_contains(d->keys, full) : d->seen & bit)
                return complain(d, line, full, "is given twice");
        d->seen |= bit;
        if (streq(e->key, "*") && strv_extend(&d->keys, full) < 0)
                return -ENOMEM;

        v.key = key;
        r = read_value(d, full, &v);
        if (r >= 0) {
                r = e->kind->set(e, &v, (char *) d->base + e->offset);
                if (r == -EINVAL)
                        r = complain(d, line, full, e->must_be);
        }
        strv_free(v.items);
        return r;
}

/* --- webhooks: a list of definitions, which are deeper than a section ------------------------------ */

static int read_node(Reader *d, unsigned depth, json_t **ret);

/* Plain words are what they look like, quoted ones are strings. */
static json_t *scalar_to_json(const Reader *d) {
        static const struct {
                const char *word;
                bool value;
        } words[] = { { "true", true }, { "false", false }, { "yes", true }, { "no", false } };
        const char *s = scalar_text(d);
        uint64_t n;

        if (is_null_scalar(d))
                return json_null();
        if (d->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
                return json_string(s);
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (streq(words[i].word, s))
                        return json_boolean(words[i].value);
        return parse_uint64(s, &n) >= 0 && n <= INT32_MAX ? json_integer((json_int_t) n) : json_string(s);
}

static int read_list(Reader *d, unsigned depth, json_t **ret) {
        _cleanup_(json_decrefp) json_t *list = json_array();

        for (;;) {
                json_t *item;
                int r = next_event(d);

                if (r < 0)
                        return r;
                if (d->event.type == YAML_SEQUENCE_END_EVENT)
                        break;
                if (json_array_size(list) >= LIST_MAX)
                        return complain(d, d->event.start_mark.line, "webhooks", "must have fewer entries");
                r = read_node(d, depth, &item);
                if (r < 0)
                        return r;
                if (json_array_append_new(list, item) < 0)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(list);
        return *ret ? 0 : -ENOMEM;
}

static int read_mapping(Reader *d, unsigned depth, json_t **ret) {
        _cleanup_(json_decrefp) json_t *object = json_object();

        for (;;) {
                _cleanup_free_ char *key = NULL;
                json_t *value;
                size_t line;
                int r = next_key(d, "webhooks", &key, &line);

                if (r < 0)
                        return r;
                if (!key)
                        break;
                if (json_object_get(object, key))
                        return complain(d, line, key, "is given twice");
                r = next_event(d);
                if (r >= 0)
                        r = read_node(d, depth, &value);
                if (r < 0)
                        return r;
                if (json_object_set_new(object, key, value) < 0)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(object);
        return *ret ? 0 : -ENOMEM;
}

/* The node that the current event begins, as JSON. */
static int read_node(Reader *d, unsigned depth, json_t **ret) {
        size_t line = d->event.start_mark.line;

        if (d->event.type == YAML_SCALAR_EVENT) {
                if (strlen(scalar_text(d)) != d->event.data.scalar.length)
                        return complain(d, line, "webhooks", "must not have a NUL byte");
                *ret = scalar_to_json(d);
                return *ret ? 0 : -ENOMEM;
        }
        if (depth == 0)
                return complain(d, line, "webhooks", "is nested too deeply");
        return d->event.type == YAML_SEQUENCE_START_EVENT ? read_list(d, depth - 1, ret)
                                                          : read_mapping(d, depth - 1, ret);
}

/* Every mistake of a definition is told, on the line where it begins. */
static int check_webhook(Reader *d, json_t *definition, size_t line, size_t index) {
        _cleanup_(webhook_spec_freep) WebhookSpec *spec = NULL;
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_free_ char *name = strprintf("webhooks[%zu]", index), *what = NULL;
        int r = name ? webhook_spec_decode(definition, NULL, &spec, &errors) : -ENOMEM;

        if (r >= 0 && errors.unknown)
                what = strprintf("%s: there is no such key", errors.unknown[0]);
        else if (r == -EBADMSG)
                what = json_errors_text(&errors);
        else
                return r;
        return what ? complain(d, line, name, what) : -ENOMEM;
}

static int read_webhook_list(Reader *d) {
        _cleanup_(json_decrefp) json_t *list = json_array();

        if (d->event.type != YAML_SEQUENCE_START_EVENT)
                return complain(d, d->event.start_mark.line, "webhooks",
                                "must be a list of webhooks, or a section with allow_private and list");
        for (;;) {
                json_t *definition;
                size_t line;
                int r = next_event(d);

                if (r < 0)
                        return r;
                if (d->event.type == YAML_SEQUENCE_END_EVENT)
                        break;
                line = d->event.start_mark.line;
                if (json_array_size(list) >= WEBHOOKS_MAX)
                        return complain(d, line, "webhooks", "must have fewer entries");
                /* a definition, and in it a list or the headers */
                r = read_node(d, 2, &definition);
                if (r < 0)
                        return r;
                if (json_array_append_new(list, definition) < 0)
                        return -ENOMEM;
                r = check_webhook(d, definition, line, json_array_size(list) - 1);
                if (r < 0)
                        return r;
        }
        if (!list)
                return -ENOMEM;
        json_decref(*d->webhooks);
        *d->webhooks = TAKE_PTR(list);
        return 0;
}

/* The list alone, or a section in which the list is one of the settings. */
static int read_webhooks(Reader *d) {
        bool seen = false;

        if (d->event.type != YAML_MAPPING_START_EVENT)
                return read_webhook_list(d);
        for (;;) {
                _cleanup_free_ char *key = NULL;
                size_t line;
                int r = next_key(d, "webhooks", &key, &line);

                if (r < 0 || !key)
                        return r;
                if (!streq(key, "list"))
                        r = read_entry(d, "webhooks", key, line);
                else if (seen)
                        r = complain(d, line, "webhooks.list", "is given twice");
                else {
                        seen = true;
                        r = next_event(d);
                        if (r >= 0)
                                r = read_webhook_list(d);
                }
                if (r < 0)
                        return r;
        }
}

/* --- sections -------------------------------------------------------------------------------------- */

static bool is_section(const Reader *d, const char *name) {
        for (const SettingsEntry *e = d->entries; e->section; e++)
                if (streq(e->section, name))
                        return true;
        return false;
}

static int read_section(Reader *d, const char *section, size_t line) {
        bool is_webhooks = d->webhooks && streq(section, "webhooks");
        int r;

        if (!is_webhooks && !is_section(d, section))
                return complain(d, line, section, "there is no such section");
        if (strv_contains(d->sections, section))
                return complain(d, line, section, "is given twice");
        r = strv_extend(&d->sections, section);
        if (r >= 0)
                r = next_event(d);
        if (r < 0)
                return r;
        if (d->event.type == YAML_SCALAR_EVENT && is_null_scalar(d)) /* all of it commented out */
                return 0;
        if (is_webhooks)
                return read_webhooks(d);
        if (d->event.type != YAML_MAPPING_START_EVENT)
                return complain(d, d->event.start_mark.line, section,
                                "must be a section, with a setting per line");
        for (;;) {
                _cleanup_free_ char *key = NULL;
                size_t key_line;

                r = next_key(d, section, &key, &key_line);
                if (r < 0 || !key)
                        return r;
                r = read_entry(d, section, key, key_line);
                if (r < 0)
                        return r;
        }
}

static int read_document(Reader *d) {
        int r = next_event(d);

        if (r < 0)
                return r;
        if (d->event.type == YAML_SCALAR_EVENT && is_null_scalar(d))
                return 0;
        if (d->event.type != YAML_MAPPING_START_EVENT)
                return complain(d, d->event.start_mark.line, NULL, "the file must be made of sections");
        for (;;) {
                _cleanup_free_ char *section = NULL;
                size_t line;

                r = next_key(d, NULL, &section, &line);
                if (r < 0 || !section)
                        return r;
                r = read_section(d, section, line);
                if (r < 0)
                        return r;
        }
}

/* STREAM-START (DOCUMENT-START … DOCUMENT-END)? STREAM-END */
static int read_stream(Reader *d) {
        int r = next_event(d);

        if (r >= 0)
                r = next_event(d);
        if (r < 0 || d->event.type == YAML_STREAM_END_EVENT)
                return r;
        r = read_document(d);
        if (r >= 0)
                r = next_event(d);
        if (r >= 0)
                r = next_event(d);
        if (r >= 0 && d->event.type != YAML_STREAM_END_EVENT)
                r = complain(d, d->event.start_mark.line, NULL, "there must be one document in a file");
        return r;
}

int settings_read(const char *file, const char *text, size_t size, const SettingsEntry *entries, void *base,
                json_t **webhooks, char **ret_error) {
        Reader d = {
                .file = file, .entries = entries, .base = base, .webhooks = webhooks, .ret_error = ret_error
        };
        int r;

        if (!yaml_parser_initialize(&d.parser))
                return -ENOMEM;
        yaml_parser_set_input_string(&d.parser, (const unsigned char *) text, size);
        yaml_parser_set_encoding(&d.parser, YAML_UTF8_ENCODING);
        r = read_stream(&d);
        yaml_event_delete(&d.event);
        yaml_parser_delete(&d.parser);
        strv_free(d.sections);
        strv_free(d.keys);
        return r;
}

int settings_read_file(const char *file, const SettingsEntry *entries, void *base, json_t **webhooks,
                char **ret_error) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r = read_file_at(AT_FDCWD, file, FILE_MAX, &text, &size);

        if (r >= 0)
                return settings_read(file, text, size, entries, base, webhooks, ret_error);
        if (r != -ENOMEM) {
                *ret_error = r == -EFBIG ? strprintf("%s: the file is larger than 1 MiB", file)
                                         : strprintf("%s: %s", file, strerror(-r));
                if (!*ret_error)
                        return -ENOMEM;
        }
        return r;
}
