/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyperctl host …: libvirt hosts. */

#include <inttypes.h>
#include <stdio.h>

#include "basic/log.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "basic/time-util.h"
#include "ctl/hosts-client.h"
#include "ctl/text.h"
#include "ctl/verb-host.h"
#include "ctl/view.h"
#include "json/json-table.h"

/* --- list ------------------------------------------------------------------------------------------ */

typedef struct ListedHost {
        const char *id, *path, *uri, *name, *state, *error;
        uint32_t n_vms;
        uint64_t created, updated;
} ListedHost;

static int read_host(sd_bus_message *m, ListedHost *ret) {
        return sd_bus_message_read(m, "(sossssutt)", &ret->id, &ret->path, &ret->uri, &ret->name,
                        &ret->state, &ret->error, &ret->n_vms, &ret->created, &ret->updated);
}

static int print_hosts_as_json(Ctl *ctl, sd_bus_message *m) {
        _cleanup_json_ json_t *hosts = json_array();
        char created[RFC3339_SIZE];
        ListedHost h;
        int r;

        if (!hosts)
                return log_oom(), EXIT_OTHER;
        while ((r = read_host(m, &h)) > 0)
                if (json_array_append_new(hosts,
                                    json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:s}", "id", h.id, "uri",
                                                    h.uri, "name", h.name, "state", h.state, "error",
                                                    h.error, "vms", (int) h.n_vms, "created",
                                                    format_rfc3339(created, h.created))) < 0)
                        return log_oom(), EXIT_OTHER;
        return r < 0 ? client_failure(ctl, NULL, r, "Listing hosts") : client_print_json(ctl, hosts);
}

static int print_hosts_as_table(Ctl *ctl, sd_bus_message *m) {
        static const TableColumn columns[] = { { .title = "ID" }, { .title = "STATE" },
                { .title = "VMS", .right = true }, { .title = "URI", .shrink_to = 8 },
                { .title = "ERROR", .shrink_to = 6 } };
        _cleanup_(table_freep) Table *t = table_new(columns, ELEMENTSOF(columns));
        ListedHost h;
        int status, r;

        if (!t)
                return log_oom(), EXIT_OTHER;
        while ((r = read_host(m, &h)) > 0)
                if (table_add(t, h.id, COLOUR_NONE) < 0 ||
                                table_add(t, h.state, colour_of_host_state(h.state)) < 0 ||
                                table_addf(t, COLOUR_NONE, "%" PRIu32, h.n_vms) < 0 ||
                                table_add(t, h.uri, COLOUR_NONE) < 0 ||
                                table_add(t, h.error, COLOUR_NONE) < 0)
                        return log_oom(), EXIT_OTHER;
        if (r < 0)
                return client_failure(ctl, NULL, r, "Listing hosts");
        status = view_table(ctl, t);
        if (status == EXIT_OK && !ctl->args.no_legend)
                printf("\n%zu hosts listed.\n", table_rows(t));
        return status;
}

int verb_host_list(Ctl *ctl, char **words) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int status, r;

        status = hosts_connect(ctl, &bus);
        if (status == EXIT_OK)
                status = hosts_call(ctl, bus, &reply, "Listing hosts", "ListHosts", NULL);
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_enter_container(reply, 'a', "(sossssutt)");
        if (r < 0)
                return client_failure(ctl, NULL, r, "Listing hosts");
        return ctl->args.json != JSON_MODE_OFF ? print_hosts_as_json(ctl, reply)
                                               : print_hosts_as_table(ctl, reply);
}

/* --- add, rm, key ---------------------------------------------------------------------------------- */

int verb_host_add(Ctl *ctl, char **words) {
        _cleanup_free_ char *what = strprintf("Adding host %s", words[1] ? words[1] : words[0]);
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        const char *id;
        int status, r;

        if (!what)
                return log_oom(), EXIT_OTHER;
        status = hosts_connect(ctl, &bus);
        if (status != EXIT_OK)
                return status;
        status = words[1] ? hosts_call(ctl, bus, &reply, what, "AddHost", "sa{sv}", words[0], 1, "id", "s",
                                            words[1])
                          : hosts_call(ctl, bus, &reply, what, "AddHost", "sa{sv}", words[0], 0);
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_read(reply, "s", &id);
        if (r < 0)
                return client_failure(ctl, NULL, r, what);
        if (!ctl->args.quiet)
                puts(id);
        return EXIT_OK;
}

/* All are tried, also behind one that fails. */
int verb_host_rm(Ctl *ctl, char **words) {
        _cleanup_bus_ sd_bus *bus = NULL;
        int first, status;

        first = hosts_connect(ctl, &bus);
        if (first != EXIT_OK)
                return first;
        STRV_FOREACH(id, words) {
                _cleanup_free_ char *what = strprintf("Removing host %s", *id);

                status = what ? hosts_call(ctl, bus, NULL, what, "RemoveHost", "s", *id) : EXIT_OTHER;
                if (first == EXIT_OK)
                        first = status;
        }
        return first;
}

static int call_hosts(Ctl *ctl, char **words, const char *method, const char *doing) {
        _cleanup_bus_ sd_bus *bus = NULL;
        int first, status;

        first = hosts_connect(ctl, &bus);
        if (first != EXIT_OK)
                return first;
        STRV_FOREACH(id, words) {
                _cleanup_free_ char *what = strprintf("%s host %s", doing, *id), *path = NULL;

                if (!what || sd_bus_path_encode(HYPER_HOSTS_BUS_PATH, *id, &path) < 0)
                        return log_oom(), EXIT_OTHER;
                status = hosts_call_object(ctl, bus, NULL, what, path, HYPER_HOSTS_HOST_INTERFACE, method);
                if (first == EXIT_OK)
                        first = status;
        }
        return first;
}

int verb_host_connect(Ctl *ctl, char **words) {
        return call_hosts(ctl, words, "Connect", "Connecting");
}

int verb_host_disconnect(Ctl *ctl, char **words) {
        return call_hosts(ctl, words, "Disconnect", "Disconnecting");
}

int verb_host_key(Ctl *ctl, char **words) {
        _cleanup_json_ json_t *properties = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        const char *key;
        int status;

        status = hosts_connect(ctl, &bus);
        if (status == EXIT_OK)
                status = hosts_get_properties(ctl, bus, "Asking for the key", HYPER_HOSTS_BUS_PATH,
                                HYPER_HOSTS_MANAGER_INTERFACE, &properties);
        if (status != EXIT_OK)
                return status;
        key = json_string_value(json_object_get(properties, "PublicKey"));
        if (isempty(key)) {
                log_error("hyper-hostd has no key. \"systemctl status hyper-hosts-key\" tells more.");
                return EXIT_OTHER;
        }
        puts(key);
        return EXIT_OK;
}

/* --- show ------------------------------------------------------------------------------------------ */

static int print_host(Ctl *ctl, json_t *o) {
        Colour colour = colour_of_host_state(view_string(o, "State"));
        char used[BYTES_SIZE], total[BYTES_SIZE], span[TIMESPAN_SIZE];
        int r = view_heading(ctl, colour, view_string(o, "Id"));

        if (r >= 0)
                r = view_line(ctl, "Name", COLOUR_NONE, "%s", view_string(o, "Name"));
        if (r >= 0)
                r = view_line(ctl, "URI", COLOUR_NONE, "%s", view_string(o, "Uri"));
        if (r >= 0)
                r = view_line(ctl, "State", colour, "%s", view_string(o, "State"));
        if (r >= 0)
                r = view_line(ctl, "Error", COLOUR_RED, "%s", view_string(o, "Error"));
        if (r >= 0)
                r = view_line(ctl, "Hostname", COLOUR_NONE, "%s", view_string(o, "Hostname"));
        if (r >= 0 && view_number(o, "Cpu") > 0)
                r = view_line(ctl, "Processors", COLOUR_NONE,
                                "%" PRIu64 " (%" PRIu64 " cores a socket, %" PRIu64 " threads a core)",
                                view_number(o, "Cpu"), view_number(o, "Cores"), view_number(o, "Threads"));
        if (r >= 0 && view_number(o, "Memory") > 0)
                r = view_line(ctl, "Memory", COLOUR_NONE, "%s of %s used",
                                format_bytes(used, view_number(o, "MemoryUsed")),
                                format_bytes(total, view_number(o, "Memory")));
        if (r >= 0 && view_number(o, "Uptime") > 0)
                r = view_line(ctl, "Up for", COLOUR_NONE, "%s",
                                format_timespan(span, view_number(o, "Uptime") * USEC_PER_SEC));
        return r;
}

static int show_host(Ctl *ctl, sd_bus *bus, const char *id) {
        _cleanup_free_ char *what = strprintf("Showing host %s", id), *path = NULL;
        _cleanup_message_ sd_bus_message *info = NULL;
        _cleanup_json_ json_t *o = NULL;
        int status, r;

        r = what ? sd_bus_path_encode(HYPER_HOSTS_BUS_PATH, id, &path) : -ENOMEM;
        if (r < 0)
                return client_failure(ctl, NULL, r, "Showing a host");
        status = hosts_get_properties(ctl, bus, what, path, HYPER_HOSTS_HOST_INTERFACE, &o);
        if (status != EXIT_OK)
                return status;
        /* Fresh figures if it is there; those it had at last are shown of one that is away. */
        if (json_is_true(json_object_get(o, "Connected"))) {
                status = hosts_call_object(
                                ctl, bus, &info, what, path, HYPER_HOSTS_HOST_INTERFACE, "GetInfo");
                json_decref(o);
                o = NULL;
                if (status == EXIT_OK)
                        status = hosts_get_properties(ctl, bus, what, path, HYPER_HOSTS_HOST_INTERFACE, &o);
                if (status != EXIT_OK)
                        return status;
        }
        if (ctl->args.json != JSON_MODE_OFF)
                return client_print_json(ctl, o);
        return print_host(ctl, o) < 0 ? (log_oom(), EXIT_OTHER) : EXIT_OK;
}

int verb_host_show(Ctl *ctl, char **words) {
        _cleanup_bus_ sd_bus *bus = NULL;
        int first, status;

        first = hosts_connect(ctl, &bus);
        if (first != EXIT_OK)
                return first;
        STRV_FOREACH(id, words) {
                if (id != words && ctl->args.json == JSON_MODE_OFF)
                        puts("");
                status = show_host(ctl, bus, *id);
                if (first == EXIT_OK)
                        first = status;
        }
        return first;
}
