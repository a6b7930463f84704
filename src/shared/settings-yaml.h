/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Configuration files in YAML, read by tables of settings. */

#include <jansson.h>

#include "basic/macro.h"

typedef struct SettingsValue {
        char **items; /* a single item for a scalar */
        bool is_list;
        bool is_quoted; /* a quoted scalar is always a string */
        const char *key; /* that the file gives */
} SettingsValue;

typedef struct SettingsEntry SettingsEntry;

/* The type of a setting. */
typedef struct SettingsKind {
        /* Store @v in the field. Returns -EINVAL if the value is invalid, or -ENOMEM. */
        int (*set)(const SettingsEntry *e, const SettingsValue *v, void *field);
        /* Return the field as in the file: a new reference, or NULL if out of memory. */
        json_t *(*show)(const void *field);
        /* Optional: whether the field has a value to show. */
        bool (*is_given)(const void *field);
} SettingsKind;

struct SettingsEntry {
        const char *section,
                        *key; /* key: "*" for any, with all in one field, whose kind is shown as object */
        const SettingsKind *kind;
        size_t offset; /* of the field in the struct */
        const char *must_be;
        unsigned max; /* of a number; the minimum is 1 */
};

/* Read one file by a table of at most 64 entries into the struct at @base. @webhooks is NULL if the file
 * cannot contain a list of webhooks. Returns 0; -EBADMSG with *ret_error ("FILE:LINE: KEY: what is wrong"),
 * which the caller frees; or -ENOMEM. */
int settings_read(const char *file, const char *text, size_t size, const SettingsEntry *entries, void *base,
                json_t **webhooks, char **ret_error);
/* Read the contents of a file. Also returns -ENOENT and other errors of the file, with *ret_error ("FILE:
 * why"). */
int settings_read_file(const char *file, const SettingsEntry *entries, void *base, json_t **webhooks,
                char **ret_error);
