/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hypersdk/hypersdk-sources.h"

#include "api/bus-client.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/hypersdk/hypersdk-reply.h"
#include "basic/string-util.h"
#include "store/sources.h"

static json_t *source_json(const SourceRow *row) {
        return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:o}", "name", row->name, "type", row->type,
                        "vcenter_url", row->url, "username", row->username, "datacenter", row->datacenter,
                        "ca", row->ca, "thumbprint", row->thumbprint, "created_at",
                        json_time(row->created_at));
}

/* No database yet is the same as one without sources. */
static int read_rows(Request *r, SourceRows *ret) {
        Store *store;
        int k = api_store(request_api(r), &store);

        if (k >= 0)
                k = store_sources_list(store, ret);
        return k == -ENOENT ? 0 : k;
}

int hypersdk_list_sources(Request *r) {
        _cleanup_(source_rows_done) SourceRows rows = {};
        _cleanup_json_ json_t *list = json_array();
        int k = list ? read_rows(r, &rows) : -ENOMEM;

        if (k < 0)
                return k;
        for (size_t i = 0; i < rows.n; i++)
                if (json_array_append_new(list, source_json(&rows.rows[i])) < 0)
                        return -ENOMEM;
        return request_reply_json(r, 200,
                        json_pack("{s:O, s:I, s:o}", "sources", list, "total", (json_int_t) rows.n,
                                        "timestamp", json_time(now_realtime())));
}

static int on_added(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        return hypersdk_reply_message(r, 201, error, "source added successfully");
}

/* The password goes beside the definition, where the bus does not show it. */
int hypersdk_add_source(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_json_ json_t *body = NULL, *password = NULL;
        _cleanup_free_ char *definition = NULL;
        int k = request_json_object(r, &body);

        if (k < 0)
                return k;
        password = json_incref(json_object_get(body, "password"));
        if (!json_is_string(password))
                return request_reply_error(r, 400, "password: is required, and must be a string");
        (void) json_object_del(body, "password");
        definition = json_dumps(body, JSON_COMPACT);
        k = definition ? manager_call_new(r, "AddSource", &m) : -ENOMEM;
        if (k >= 0)
                k = sd_bus_message_sensitive(m);
        if (k >= 0)
                k = sd_bus_message_append(m, "ss", definition, json_string_value(password));
        explicit_bzero((char *) json_string_value(password), json_string_length(password));
        return k < 0 ? k : manager_call(r, m, on_added, NULL);
}

static int on_removed(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        return hypersdk_reply_message(r, 200, error, "source deleted successfully");
}

int hypersdk_remove_source(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = manager_call_new(r, "RemoveSource", &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "s", request_param(r, "name"));
        return k < 0 ? k : manager_call(r, m, on_removed, NULL);
}

static int on_tested(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        return hypersdk_reply_object(r, m, error, "source works");
}

int hypersdk_test_source(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_json_ json_t *source = json_pack("{s:s}", "name", request_param(r, "name"));
        _cleanup_free_ char *text = source ? json_dumps(source, JSON_COMPACT) : NULL;
        int k = text ? vsphere_call_new(r, "TestSource", &m) : -ENOMEM;

        if (k >= 0)
                k = sd_bus_message_append(m, "s", text);
        return k < 0 ? k : manager_call(r, m, on_tested, NULL);
}
