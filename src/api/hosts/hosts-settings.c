/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hosts/hosts-settings.h"

#include "api/hosts/hosts-client.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "basic/string-util.h"
#include "json/json-table.h"

/* How the client smooths its curves, and in which units it shows them. */
typedef struct Setting {
        const char *group; /* an object in the settings; NULL: the settings themselves */
        const char *key; /* NULL ends the table */
        const char *words; /* "|a|b|"; NULL: a number from 0 to 1 */
        const char *word; /* the default */
        double number;
} Setting;

static const Setting settings[] = {
        { NULL, "diskSmoothAlpha", NULL, NULL, 0.3 },
        { NULL, "cpuSmoothAlpha", NULL, NULL, 0.3 },
        { NULL, "netSmoothAlpha", NULL, NULL, 0.6 },
        { NULL, "cpuDisplayDefault", "|host|guest|raw|", "host", 0 },
        { "units", "disk", "|kib|mib|", "kib", 0 },
        { "units", "network", "|kb|mb|", "mb", 0 },
        {},
};

static bool is_allowed(const Setting *s, const json_t *value) {
        _cleanup_free_ char *word = NULL;

        if (!s->words)
                return json_is_number(value) && json_number_value(value) >= 0 &&
                                json_number_value(value) <= 1;
        word = strprintf("|%s|", strempty(json_string_value(value)));
        return word && json_string_length(value) > 0 && !strchr(json_string_value(value), '|') &&
                        strstr(s->words, word);
}

static int check(json_t *object, JsonErrors *errors) {
        json_t *units = json_object_get(object, "units");
        int k = 0;

        if (units && !json_is_object(units))
                return json_errors_add(errors, "units", "must be an object");
        for (const Setting *s = settings; s->key && k >= 0; s++) {
                const json_t *value = json_object_get(s->group ? units : object, s->key);
                _cleanup_free_ char *path = s->group ? strprintf("%s.%s", s->group, s->key) : strdup(s->key);

                if (!path)
                        return -ENOMEM;
                if (!value || is_allowed(s, value))
                        continue;
                k = s->words ? json_errors_add(errors, path, "must be one of %s", s->words)
                             : json_errors_add(errors, path, "must be a number from 0 to 1");
        }
        return k;
}

/* Puts in what is missing. */
static int fill(json_t *object) {
        for (const Setting *s = settings; s->key; s++) {
                json_t *group = object;

                if (s->group) {
                        group = json_object_get(object, s->group);
                        if (!json_is_object(group)) {
                                group = json_object();
                                if (json_object_set_new(object, s->group, group) < 0)
                                        return -ENOMEM;
                        }
                }
                if (json_object_get(group, s->key))
                        continue;
                if (json_object_set_new(group, s->key,
                                    s->words ? json_string(s->word) : json_real(s->number)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int on_settings(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_json_ json_t *object = NULL;
        const char *text;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = sd_bus_message_read(reply, "s", &text);
        if (k < 0)
                return k;
        object = json_loads(text, 0, NULL);
        if (!json_is_object(object))
                return -EBADMSG;
        k = fill(object);
        return k < 0 ? k : request_reply_json(r, 200, TAKE_PTR(object));
}

int hosts_get_metrics_settings(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = hosts_manager_call_new(r, "GetSetting", &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "s", "metrics");
        return k < 0 ? k : manager_call(r, m, on_settings, NULL);
}

static int on_kept(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        return error ? request_reply_bus_error(r, error) : hosts_get_metrics_settings(r);
}

int hosts_put_metrics_settings(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *text = NULL;
        int k = request_json_object(r, &object);

        if (k >= 0)
                k = check(object, &errors);
        if (k < 0)
                return k;
        if (errors.errors) {
                text = json_errors_text(&errors);
                return text ? request_reply_error(r, 400, "%s", text) : -ENOMEM;
        }
        text = json_dumps(object, JSON_COMPACT);
        if (!text)
                return -ENOMEM;
        k = hosts_manager_call_new(r, "SetSetting", &m);
        if (k >= 0)
                k = sd_bus_message_append(m, "ss", "metrics", text);
        return k < 0 ? k : manager_call(r, m, on_kept, NULL);
}
