/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "shared/settings.h"

typedef struct SettingsValue {
        char **items; /* one for a scalar */
        bool is_list;
        bool is_quoted; /* a quoted scalar is a string, whatever it looks like */
} SettingsValue;

typedef struct SettingsEntry SettingsEntry;

/* What a setting may be. */
typedef struct SettingsKind {
        /* Puts @v into the field. -EINVAL: it is not what it must be; -ENOMEM. */
        int (*set)(const SettingsEntry *e, const SettingsValue *v, void *field);
        /* The field as it would stand in the file; new reference, or NULL when out of memory. */
        json_t *(*show)(const void *field);
        /* If set: without a value there is nothing to show. */
        bool (*is_given)(const void *field);
} SettingsKind;

struct SettingsEntry {
        const char *section, *key;
        const SettingsKind *kind;
        size_t offset; /* of its field in Settings */
        const char *must_be;
        unsigned max; /* of a number; the least is 1 */
};

/* All settings there are (64 at most); ends with a NULL section. */
extern const SettingsEntry settings_entries[];

/* Sets what the entry is about. 0; -EINVAL: it is not what it must be; -ENOMEM. */
int settings_set(Settings *s, const SettingsEntry *e, const SettingsValue *v);
