/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Types of settings that several configuration files use. */

#include "shared/settings-yaml.h"

extern const SettingsKind settings_number; /* unsigned */
extern const SettingsKind settings_optional_number; /* unsigned; 0 if not set */
extern const SettingsKind settings_size; /* uint64_t; bytes, or with K, M, G or T; at most 16T */
extern const SettingsKind settings_optional_size; /* likewise; 0 if not set */
extern const SettingsKind settings_seconds; /* usec_t */
extern const SettingsKind settings_boolean; /* bool */
extern const SettingsKind settings_path; /* char *, absolute */
extern const SettingsKind settings_optional_path; /* likewise; NULL if not set */
extern const SettingsKind settings_level; /* char *, a log level */

/* A text's show(), for kinds whose set() is the user's own. */
json_t *settings_show_text(const void *field);

/* The same of a list of texts (char **), and a copy of @items in place of the one that is there. */
json_t *settings_show_list(const void *field);
int settings_take_list(char *const *items, void *field);

/* The values of all entries in an object by section, as in the file; null: not set. New reference; NULL when
 * out of memory. */
json_t *settings_show(const SettingsEntry *entries, const void *settings);
