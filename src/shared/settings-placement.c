/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/settings-placement.h"

#include "basic/string-util.h"
#include "spec/label.h"

static int set_labels(const SettingsEntry *e, const SettingsValue *v, void *field) {
        _cleanup_strv_free_ char **list = NULL;
        char ***p = field;

        if (!v->is_list || !labels_are_valid(v->items))
                return -EINVAL;
        STRV_FOREACH(item, v->items)
                if (strv_extend(&list, *item) < 0)
                        return -ENOMEM;
        strv_free(*p);
        *p = TAKE_PTR(list);
        return 0;
}

static json_t *show_labels(const void *field) {
        json_t *array = json_array();

        STRV_FOREACH(s, *(char **const *) field)
                (void) json_array_append_new(array, json_string(*s));
        return array;
}

static int set_storage(const SettingsEntry *e, const SettingsValue *v, void *field) {
        int r = v->is_list ? -EINVAL : storage_rules_set(field, v->key, v->items[0]);

        return r == -E2BIG ? -EINVAL : r;
}

static json_t *show_storage(const void *field) {
        const StorageRules *rules = field;
        json_t *object = json_object();

        for (size_t i = 0; i < rules->n; i++) {
                const StorageRule *rule = &rules->rules[i];

                (void) json_object_set_new(
                                object, *rule->prefix ? rule->prefix : "/", json_string(rule->label));
        }
        return object;
}

const SettingsKind settings_labels = { set_labels, show_labels };
const SettingsKind settings_storage = { set_storage, show_storage };
