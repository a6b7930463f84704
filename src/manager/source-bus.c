/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/source-bus.h"

#include <pwd.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/source.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"

#define VSPHERE_USER "hyper-vsphere"

static const char manage_sources[] = "org.hyper1.manage-sources";

int method_add_source(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(json_errors_done) JsonErrors fields = {};
        const char *definition, *password;
        Manager *m = userdata;
        int r = bus_verify_polkit(message, manage_sources, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "ss", &definition, &password);
        if (r >= 0)
                r = manager_add_source(m, definition, password, &fields, error);
        if (r < 0)
                return bus_reply_fields_error(message, r, error, &fields);
        return sd_bus_reply_method_return(message, NULL);
}

int method_remove_source(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        const char *name;
        int r = bus_verify_polkit(message, manage_sources, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &name);
        if (r >= 0)
                r = manager_remove_source(m, name, error);
        return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

static json_t *source_to_json(const SourceRow *row) {
        return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:o}", "name", row->name, "type", row->type,
                        "vcenter_url", row->url, "username", row->username, "datacenter", row->datacenter,
                        "ca", row->ca, "thumbprint", row->thumbprint, "created_at",
                        json_time(row->created_at));
}

int method_list_sources(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(source_rows_done) SourceRows rows = {};
        _cleanup_json_ json_t *list = json_array();
        _cleanup_free_ char *text = NULL;
        Manager *m = userdata;
        int r = store_sources_list(m->store, &rows);

        for (size_t i = 0; r >= 0 && i < rows.n; i++)
                if (json_array_append_new(list, source_to_json(&rows.rows[i])) < 0)
                        r = -ENOMEM;
        if (r < 0)
                return r;
        text = json_dumps(list, JSON_COMPACT);
        return text ? sd_bus_reply_method_return(message, "s", text) : -ENOMEM;
}

/* --- org.hyper1.Sources ---------------------------------------------------------------------------- */

/* The bus policy permits the call to hyper-vsphered and root only, and so does this check. */
static int verify_caller(sd_bus_message *message, sd_bus_error *error) {
        _cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
        const struct passwd *user;
        uid_t uid = 0;
        int r = sd_bus_query_sender_creds(message, SD_BUS_CREDS_EUID, &creds);

        if (r >= 0)
                r = sd_bus_creds_get_euid(creds, &uid);
        if (r >= 0 && uid == 0)
                return 0;
        user = r >= 0 ? getpwnam(VSPHERE_USER) : NULL;
        if (user && user->pw_uid == uid)
                return 0;
        return bus_error_setf(error, HYPER_BUS_ERROR_ACCESS_DENIED,
                        "Passwords of sources are given to hyper-vsphered only");
}

static int reply_login(sd_bus_message *message, const SourceRow *row, const char *password) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(message, &reply);

        if (r >= 0)
                r = sd_bus_message_sensitive(reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "ssssss", row->url, row->username, password,
                                strempty(row->datacenter), strempty(row->ca), strempty(row->thumbprint));
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int method_get_login(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(source_row_freep) SourceRow *row = NULL;
        Manager *m = userdata;
        char *password = NULL;
        const char *name;
        int r = verify_caller(message, error);

        if (r >= 0)
                r = sd_bus_message_read(message, "s", &name);
        if (r >= 0)
                r = manager_find_source(m, name, &row, error);
        if (r >= 0)
                r = manager_reveal_source(m, row, &password, error);
        if (r < 0)
                return r;
        log_debug("The password of source %s was given to hyper-vsphered.", row->name);
        r = reply_login(message, row, password);
        explicit_bzero(password, strlen(password));
        free(password);
        return r;
}

const sd_bus_vtable sources_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("GetLogin", SD_BUS_ARGS("s", name),
                        SD_BUS_RESULT("s", vcenter_url, "s", username, "s", password, "s", datacenter, "s",
                                        ca, "s", thumbprint),
                        method_get_login, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_VTABLE_END,
};

int source_bus_register(Manager *m) {
        return sd_bus_add_object_vtable(m->bus, &m->object_slots[7], HYPER_BUS_PATH, HYPER_SOURCES_INTERFACE,
                        sources_vtable, m);
}
