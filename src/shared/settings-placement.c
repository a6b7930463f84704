/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/settings-placement.h"

#include "basic/string-util.h"
#include "shared/settings-kind.h"
#include "spec/label.h"

static int set_labels(const SettingsEntry *e, const SettingsValue *v, void *field) {
        return v->is_list && labels_are_valid(v->items) ? settings_take_list(v->items, field) : -EINVAL;
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

const SettingsKind settings_labels = { set_labels, settings_show_list };
const SettingsKind settings_storage = { set_storage, show_storage };
