/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/settings-carbon.h"
#include "basic/string-util.h"
#include "shared/settings-kind.h"
#include "spec/carbon-data.h"

#define URL_MAX 1024u

static bool is_given(const void *field) {
        return *(char *const *) field != NULL;
}

static int set_source(const SettingsEntry *e, const SettingsValue *v, void *field) {
        static const char *const words[] = { "carbonintensity-gb", "electricitymaps", "watttime", "file" };

        for (size_t i = 0; i < ELEMENTSOF(words) && !v->is_list; i++)
                if (streq(v->items[0], words[i]))
                        return free_and_strdup(field, words[i]);
        return -EINVAL;
}

static int set_zone(const SettingsEntry *e, const SettingsValue *v, void *field) {
        return v->is_list || !carbon_zone_is_valid(v->items[0]) ? -EINVAL
                                                                : free_and_strdup(field, v->items[0]);
}

/* What is asked without TLS is on this machine; hyper-carbond looks at the address once more when it
 * connects. */
static bool is_loopback(const char *host) {
        static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const char *rest = startswith(host, names[i]);

                if (rest && (*rest == '\0' || *rest == ':' || *rest == '/'))
                        return true;
        }
        return false;
}

static bool is_url(const char *url) {
        const char *https = startswith(url, "https://"), *http = startswith(url, "http://"),
                   *file = startswith(url, "file:///");

        if (strlen(url) > URL_MAX)
                return false;
        for (const char *p = url; *p; p++)
                if (*p <= ' ' || *p > '~' || strchr("?#@\"<>\\^`{|}", *p))
                        return false;
        if (http)
                return is_loopback(http);
        return file ? *file != '\0' : https && *https != '\0' && *https != '/' && *https != ':';
}

static int set_url(const SettingsEntry *e, const SettingsValue *v, void *field) {
        _cleanup_free_ char *url = v->is_list ? NULL : strdup(v->items[0]);
        char **p = field;

        if (v->is_list || !url)
                return v->is_list ? -EINVAL : -ENOMEM;
        for (size_t n = strlen(url); n > 0 && url[n - 1] == '/'; n--)
                url[n - 1] = '\0';
        if (!is_url(url))
                return -EINVAL;
        free(*p);
        *p = TAKE_PTR(url);
        return 0;
}

const SettingsKind settings_carbon_source = { set_source, settings_show_text, is_given };
const SettingsKind settings_carbon_zone = { set_zone, settings_show_text, is_given };
const SettingsKind settings_carbon_url = { set_url, settings_show_text, is_given };
