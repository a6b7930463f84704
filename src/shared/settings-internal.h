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
        size_t offset; /* of its field in the struct */
        const char *must_be;
        unsigned max; /* of a number; the least is 1 */
};

/* Kinds that several files have. */
extern const SettingsKind settings_number; /* unsigned */
extern const SettingsKind settings_seconds; /* usec_t */
extern const SettingsKind settings_boolean; /* bool */
extern const SettingsKind settings_path; /* char *, absolute */
extern const SettingsKind settings_level; /* char *, of the log */

/* All settings of config.yaml; ends with a NULL section. */
extern const SettingsEntry settings_entries[];

/* Reads one file by a table of at most 64 entries into the struct at @base; @webhooks is NULL where there is
 * no such list. Otherwise as settings_parse(). */
int settings_read(const char *file, const char *text, size_t size, const SettingsEntry *entries, void *base,
                json_t **webhooks, char **ret_error);
/* The same with a file's content. -ENOENT and others: as settings_load(). */
int settings_read_file(const char *file, const SettingsEntry *entries, void *base, json_t **webhooks,
                char **ret_error);
