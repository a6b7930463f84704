/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "shared/settings.h"

typedef struct SettingsValue {
        char **items; /* one for a scalar */
        bool is_list;
        bool is_quoted; /* a quoted scalar is a string, whatever it looks like */
} SettingsValue;

typedef struct SettingsEntry {
        const char *section, *key;
        int (*set)(Settings *s, const SettingsValue *v); /* -EINVAL: not what it must be */
        const char *must_be;
} SettingsEntry;

/* All settings there are (64 at most); ends with a NULL section. */
extern const SettingsEntry settings_entries[];
