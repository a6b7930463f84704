/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/settings-kind.h"

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "basic/time-util.h"
#include "spec/job-spec.h"

static int read_unsigned(const SettingsEntry *e, const SettingsValue *v, unsigned *ret) {
        unsigned n;

        if (v->is_list || v->is_quoted || parse_unsigned(v->items[0], &n) < 0 || n < 1 || n > e->max)
                return -EINVAL;
        *ret = n;
        return 0;
}

static int set_number(const SettingsEntry *e, const SettingsValue *v, void *field) {
        return read_unsigned(e, v, field);
}

static json_t *show_number(const void *field) {
        return json_integer(*(const unsigned *) field);
}

static bool number_is_given(const void *field) {
        return *(const unsigned *) field > 0;
}

/* "10G": 2^30 bytes each, as in systemd.resource-control(5). */
static int set_size(const SettingsEntry *e, const SettingsValue *v, void *field) {
        static const char suffixes[] = "KMGT";
        const uint64_t limit = (uint64_t) 16 << 40;
        _cleanup_free_ char *digits = NULL;
        unsigned shift = 0;
        uint64_t n;

        if (v->is_list || v->is_quoted || !*v->items[0])
                return -EINVAL;
        digits = strdup(v->items[0]);
        if (!digits)
                return -ENOMEM;
        char *last = digits + strlen(digits) - 1;
        const char *suffix = strchr(suffixes, *last);
        if (suffix) {
                shift = 10 * (unsigned) (suffix - suffixes + 1);
                *last = '\0';
        }
        if (parse_uint64(digits, &n) < 0 || n < 1 || n > limit >> shift)
                return -EINVAL;
        *(uint64_t *) field = n << shift;
        return 0;
}

static json_t *show_size(const void *field) {
        return json_integer((json_int_t) * (const uint64_t *) field);
}

static bool size_is_given(const void *field) {
        return *(const uint64_t *) field > 0;
}

static int set_seconds(const SettingsEntry *e, const SettingsValue *v, void *field) {
        unsigned seconds;
        int r = read_unsigned(e, v, &seconds);

        if (r >= 0)
                *(usec_t *) field = seconds * USEC_PER_SEC;
        return r;
}

static json_t *show_seconds(const void *field) {
        return json_integer((json_int_t) (*(const usec_t *) field / USEC_PER_SEC));
}

static int set_boolean(const SettingsEntry *e, const SettingsValue *v, void *field) {
        return v->is_list || v->is_quoted ? -EINVAL : parse_boolean(v->items[0], field);
}

static json_t *show_boolean(const void *field) {
        return json_boolean(*(const bool *) field);
}

static int set_level(const SettingsEntry *e, const SettingsValue *v, void *field) {
        static const char *const words[] = { "debug", "info", "notice", "warning", "err" };

        for (size_t i = 0; !v->is_list && i < ELEMENTSOF(words); i++)
                if (streq(v->items[0], words[i]))
                        return free_and_strdup(field, v->items[0]);
        return -EINVAL;
}

static int set_path(const SettingsEntry *e, const SettingsValue *v, void *field) {
        const char *reason;

        if (v->is_list || !job_path_is_valid(v->items[0], false, &reason))
                return -EINVAL;
        return free_and_strdup(field, v->items[0]);
}

json_t *settings_show_text(const void *field) {
        const char *text = *(char *const *) field;

        return text ? json_string(text) : json_null();
}

static bool text_is_given(const void *field) {
        return *(char *const *) field;
}

/* The section of that name, made when it is not there yet; borrowed. */
static json_t *section_of(json_t *all, const char *name) {
        json_t *section = json_object_get(all, name);

        if (section)
                return section;
        section = json_object();
        return json_object_set_new(all, name, section) < 0 ? NULL : section;
}

json_t *settings_show_list(const void *field) {
        _cleanup_(json_decrefp) json_t *array = json_array();

        STRV_FOREACH(s, *(char **const *) field)
                if (json_array_append_new(array, json_string(*s)) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

int settings_take_list(char *const *items, void *field) {
        _cleanup_strv_free_ char **list = NULL;
        char ***p = field;

        STRV_FOREACH(item, items)
                if (strv_extend(&list, *item) < 0)
                        return -ENOMEM;
        strv_free(*p);
        *p = TAKE_PTR(list);
        return 0;
}

json_t *settings_show(const SettingsEntry *entries, const void *settings) {
        json_t *all = json_object();

        for (const SettingsEntry *e = entries; all && e->section; e++) {
                const void *field = (const char *) settings + e->offset;

                if (e->kind->is_given && !e->kind->is_given(field))
                        continue;
                if (streq(e->key, "*")) {
                        if (json_object_set_new(all, e->section, e->kind->show(field)) < 0)
                                return json_decref(all), NULL;
                        continue;
                }
                if (json_object_set_new(section_of(all, e->section), e->key, e->kind->show(field)) < 0) {
                        json_decref(all);
                        return NULL;
                }
        }
        return all;
}

const SettingsKind settings_number = { set_number, show_number };
const SettingsKind settings_optional_number = { set_number, show_number, number_is_given };
const SettingsKind settings_size = { set_size, show_size };
const SettingsKind settings_optional_size = { set_size, show_size, size_is_given };
const SettingsKind settings_seconds = { set_seconds, show_seconds };
const SettingsKind settings_boolean = { set_boolean, show_boolean };
const SettingsKind settings_level = { set_level, settings_show_text };
const SettingsKind settings_path = { set_path, settings_show_text };
const SettingsKind settings_optional_path = { set_path, settings_show_text, text_is_given };
