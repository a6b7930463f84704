/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The methods of org.hyper1.Manager about keys for the HTTP API. hyper-apid is let in by polkit for all
 * else, not for this: whoever has a key, or breaks into hyper-apid, gets no other one. */

#include "manager/key-bus.h"

#include "basic/string-util.h"
#include "manager/key.h"
#include "shared/bus-fields.h"

static const char manage_keys[] = "org.hyper1.manage-keys";

int method_add_key(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(json_errors_done) JsonErrors fields = {};
        const char *definition;
        Manager *m = userdata;
        ApiKey key;
        int r = bus_verify_polkit(message, manage_keys, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &definition);
        if (r >= 0)
                r = manager_add_key(m, definition, &key, &fields, error);
        if (r < 0)
                return bus_reply_fields_error(message, r, error, &fields);
        r = sd_bus_reply_method_return(message, "ss", key.id.text, key.text);
        explicit_bzero(&key, sizeof(key));
        return r;
}

int method_remove_key(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        const char *name;
        int r = bus_verify_polkit(message, manage_keys, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &name);
        if (r >= 0)
                r = manager_remove_key(m, name, error);
        return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

static json_t *scopes_json(uint32_t scopes) {
        _cleanup_json_ json_t *list = json_array();

        for (Scope s = SCOPE_READ; s < _SCOPE_MAX; s++)
                if (scopes & 1u << s && json_array_append_new(list, json_string(scope_to_string(s))) < 0)
                        return NULL;
        return TAKE_PTR(list);
}

static json_t *key_to_json(const ApiKeyRow *row, usec_t now) {
        return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:b}", "name", row->name, "id", row->id.text,
                        "scopes", scopes_json(row->scopes), "rate_limit",
                        row->rate_limit > 0 ? json_integer(row->rate_limit) : json_null(), "created_at",
                        json_time(row->created_at), "expires_at", json_time(row->expires_at), "expired",
                        row->expires_at > 0 && row->expires_at <= now);
}

int method_list_keys(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(api_key_rows_done) ApiKeyRows rows = {};
        _cleanup_json_ json_t *list = json_array();
        _cleanup_free_ char *text = NULL;
        Manager *m = userdata;
        int r = store_api_keys_list(m->store, &rows);

        for (size_t i = 0; r >= 0 && i < rows.n; i++)
                if (json_array_append_new(list, key_to_json(&rows.rows[i], m->clock())) < 0)
                        r = -ENOMEM;
        if (r < 0)
                return r;
        text = json_dumps(list, JSON_COMPACT);
        return text ? sd_bus_reply_method_return(message, "s", text) : -ENOMEM;
}
