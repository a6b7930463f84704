/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/socket-view.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/client.h"
#include "ctl/view.h"
#include "json/json-table.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define UNITS "/org/freedesktop/systemd1/unit"
#define UNIT_INTERFACE SYSTEMD ".Unit"
#define SOCKET_INTERFACE SYSTEMD ".Socket"

static const char *const units[] = { "hyper.socket", "hyper-worker.socket", "hyper-hosts.socket",
        "hyper-tls.socket" };

static bool is_listening(const char *state) {
        return streq(state, "active");
}

static int get_text(sd_bus *bus, const char *path, const char *interface, const char *name, char **ret) {
        return sd_bus_get_property_string(bus, SYSTEMD, path, interface, name, NULL, ret);
}

/* The addresses that the unit is to listen on, as systemd.socket(5) has them. */
static int get_addresses(sd_bus *bus, const char *path, json_t **ret) {
        _cleanup_message_ sd_bus_message *m = NULL;
        _cleanup_json_ json_t *list = json_array();
        const char *type, *address;
        int r = list ? sd_bus_get_property(bus, SYSTEMD, path, SOCKET_INTERFACE, "Listen", NULL, &m, "a(ss)")
                     : -ENOMEM;

        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "(ss)");
        while (r >= 0 && (r = sd_bus_message_read(m, "(ss)", &type, &address)) > 0)
                if (json_array_append_new(list, json_string(address)) < 0)
                        return -ENOMEM;
        if (r < 0)
                return r;
        *ret = TAKE_PTR(list);
        return 0;
}

static int socket_to_json(sd_bus *bus, const char *unit, json_t **ret) {
        _cleanup_free_ char *path = NULL, *state = NULL, *result = NULL, *file = NULL;
        _cleanup_json_ json_t *addresses = NULL;
        int r = sd_bus_path_encode(UNITS, unit, &path);

        if (r >= 0)
                r = get_text(bus, path, UNIT_INTERFACE, "ActiveState", &state);
        if (r >= 0)
                r = get_text(bus, path, UNIT_INTERFACE, "UnitFileState", &file);
        if (r >= 0)
                r = get_text(bus, path, SOCKET_INTERFACE, "Result", &result);
        if (r >= 0)
                r = get_addresses(bus, path, &addresses);
        if (r < 0)
                return r;
        *ret = json_pack("{s:s, s:s, s:s, s:b, s:O}", "unit", unit, "state", state, "result", result,
                        "enabled", (int) streq(file, "enabled"), "addresses", addresses);
        return *ret ? 0 : -ENOMEM;
}

static int add_row(Table *t, json_t *socket) {
        const char *state = view_string(socket, "state"), *result = view_string(socket, "result");
        _cleanup_free_ char *addresses = NULL;
        json_t *address;
        size_t i;
        int r = table_add(t, view_string(socket, "unit"), COLOUR_NONE);

        if (r >= 0)
                r = is_listening(state)                  ? table_add(t, "listening", COLOUR_GREEN)
                                : streq(state, "failed") ? table_addf(t, COLOUR_RED, "failed (%s)", result)
                                                         : table_add(t, state, COLOUR_NONE);
        if (r >= 0)
                r = table_add(t, json_is_true(json_object_get(socket, "enabled")) ? "yes" : "no",
                                COLOUR_NONE);
        json_array_foreach(json_object_get(socket, "addresses"), i, address) {
                char *longer = strprintf("%s%s%s", strempty(addresses), i > 0 ? ", " : "",
                                json_string_value(address));
                free(addresses);
                addresses = longer;
                if (!addresses)
                        return -ENOMEM;
        }
        return r < 0 ? r : table_add(t, strempty(addresses), COLOUR_NONE);
}

static int print_sockets(Ctl *ctl, json_t *list) {
        static const TableColumn columns[] = { { .title = "SOCKET" }, { .title = "STATE" },
                { .title = "ENABLED" }, { .title = "ADDRESSES" } };
        _cleanup_(table_freep) Table *t = table_new(columns, ELEMENTSOF(columns));
        json_t *socket;
        size_t i;

        json_array_foreach(list, i, socket)
                if (!t || add_row(t, socket) < 0)
                        return log_oom(), EXIT_OTHER;
        return view_table(ctl, t);
}

/* Which of them are not there, and why. */
static int report_failures(json_t *list) {
        int status = EXIT_OK;
        json_t *socket;
        size_t i;

        json_array_foreach(list, i, socket) {
                const char *unit = view_string(socket, "unit");

                if (!streq(view_string(socket, "state"), "failed"))
                        continue;
                log_error("%s has failed, probably because another program uses its address. See \"systemctl "
                          "status %s\"; then run \"systemctl restart %s\".",
                                unit, unit, unit);
                status = EXIT_UNAVAILABLE;
        }
        return status;
}

int socket_view(Ctl *ctl) {
        _cleanup_json_ json_t *list = json_array();
        _cleanup_bus_ sd_bus *bus = NULL;
        int shown, status = client_connect(ctl, &bus);

        for (size_t i = 0; i < ELEMENTSOF(units) && status == EXIT_OK; i++) {
                json_t *socket = NULL;
                int r = list ? socket_to_json(bus, units[i], &socket) : -ENOMEM;

                if (r >= 0 && json_array_append_new(list, socket) < 0)
                        r = -ENOMEM;
                if (r < 0)
                        status = client_failure(ctl, NULL, r, "Getting the state of a socket");
        }
        if (status != EXIT_OK)
                return status;
        shown = ctl->args.json != JSON_MODE_OFF ? client_print_json(ctl, list) : print_sockets(ctl, list);
        return shown != EXIT_OK ? shown : report_failures(list);
}
