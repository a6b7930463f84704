/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/settings-slurm.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "shared/settings-carbon.h"
#include "shared/settings-kind.h"
#include "spec/limit-rules.h"

#define NAME_MAX_SIZE 64u
#define TEXT_MAX 256u
/* of a socket: sun_path of unix(7) */
#define SOCKET_MAX 107u
#define LICENSES_MAX 64u
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

static bool is_given(const void *field) {
        return *(char *const *) field != NULL;
}

static int set_text(const SettingsValue *v, const char *letters, size_t max, void *field) {
        const char *s = v->items[0];

        if (v->is_list || !*s || strlen(s) > max || s[strspn(s, letters)])
                return -EINVAL;
        return free_and_strdup(field, s);
}

static int set_name(const SettingsEntry *e, const SettingsValue *v, void *field) {
        return set_text(v, LETTERS, NAME_MAX_SIZE, field);
}

static int set_names(const SettingsEntry *e, const SettingsValue *v, void *field) {
        return set_text(v, LETTERS ",", TEXT_MAX, field);
}

/* sbatch(1), --constraint */
static int set_constraint(const SettingsEntry *e, const SettingsValue *v, void *field) {
        return set_text(v, LETTERS "&|*()[]:=", TEXT_MAX, field);
}

/* The form of numbers and of the script is another one since v0.0.39; what comes after v0.0.42 is not
 * known. */
static int set_api(const SettingsEntry *e, const SettingsValue *v, void *field) {
        const char *digits = v->is_list ? NULL : startswith(v->items[0], "v0.0.");
        unsigned n;

        if (!digits || parse_unsigned(digits, &n) < 0 || n < 38 || n > 42)
                return -EINVAL;
        return free_and_strdup(field, v->items[0]);
}

static int set_url(const SettingsEntry *e, const SettingsValue *v, void *field) {
        const char *path = v->is_list ? NULL : startswith(v->items[0], "unix:");

        if (path)
                return *path == '/' && strlen(path) <= SOCKET_MAX ? free_and_strdup(field, v->items[0])
                                                                  : -EINVAL;
        if (v->is_list || startswith(v->items[0], "file:"))
                return -EINVAL;
        return settings_carbon_url.set(e, v, field);
}

static int set_licenses(const SettingsEntry *e, const SettingsValue *v, void *field) {
        if (!v->is_list || strv_length(v->items) > LICENSES_MAX)
                return -EINVAL;
        STRV_FOREACH(item, v->items)
                if (!limit_pattern_is_valid(*item))
                        return -EINVAL;
        return settings_take_list(v->items, field);
}

const SettingsKind settings_slurm_url = { set_url, settings_show_text, is_given };
const SettingsKind settings_slurm_api = { set_api, settings_show_text, is_given };
const SettingsKind settings_slurm_name = { set_name, settings_show_text, is_given };
const SettingsKind settings_slurm_names = { set_names, settings_show_text, is_given };
const SettingsKind settings_slurm_constraint = { set_constraint, settings_show_text, is_given };
const SettingsKind settings_slurm_licenses = { set_licenses, settings_show_list, is_given };
