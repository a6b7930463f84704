/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyperctl source …: vCenters and ESXi hosts, by name. */

#include <fcntl.h>
#include <stdio.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/client.h"
#include "ctl/password.h"
#include "ctl/verb-source.h"
#include "ctl/view.h"
#include "ctl/vsphere-client.h"
#include "spec/vsphere-server.h"
#include "json/json-table.h"

static int connect_for_sources(Ctl *ctl, sd_bus **ret) {
        ctl->action = "org.hyper1.manage-sources";
        return client_connect(ctl, ret);
}

static const char *trust_of(json_t *source) {
        if (*view_string(source, "thumbprint"))
                return "thumbprint";
        return *view_string(source, "ca") ? "ca" : "system";
}

static int print_sources(Ctl *ctl, json_t *list) {
        static const TableColumn columns[] = { { .title = "NAME", .shrink_to = 12 }, { .title = "TYPE" },
                { .title = "URL", .shrink_to = 16 }, { .title = "USER", .shrink_to = 12 },
                { .title = "DATACENTER", .shrink_to = 10 }, { .title = "TRUST" } };
        _cleanup_(table_freep) Table *t = table_new(columns, ELEMENTSOF(columns));
        static const char *const keys[] = { "name", "type", "vcenter_url", "username", "datacenter" };
        json_t *source;
        size_t i;
        int r = t ? 0 : -ENOMEM;

        json_array_foreach(list, i, source) {
                for (size_t k = 0; k < ELEMENTSOF(keys) && r >= 0; k++) {
                        const char *text = view_string(source, keys[k]);

                        r = table_add(t, *text ? text : "-", COLOUR_NONE);
                }
                if (r >= 0)
                        r = table_add(t, trust_of(source), COLOUR_NONE);
        }
        return r < 0 ? (log_oom(), EXIT_OTHER) : view_table(ctl, t);
}

int verb_source_list(Ctl *ctl, char **words) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_json_ json_t *list = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = connect_for_sources(ctl, &bus);

        if (status == EXIT_OK)
                status = client_call(ctl, bus, &reply, "Listing sources", "ListSources", NULL);
        if (status == EXIT_OK)
                status = client_read_json(ctl, reply, "Listing sources", &list);
        if (status != EXIT_OK)
                return status;
        return ctl->args.json != JSON_MODE_OFF ? client_print_json(ctl, list) : print_sources(ctl, list);
}

/* --- add ------------------------------------------------------------------------------------------- */

static int add_text(json_t *definition, const char *key, const char *text) {
        return text && json_object_set_new(definition, key, json_string(text)) < 0 ? -ENOMEM : 0;
}

/* The definition as JSON, or NULL after an error message. */
static char *make_definition(const Ctl *ctl, char **words, int *ret_status) {
        _cleanup_json_ json_t *definition = json_pack("{s:s, s:s, s:s}", "name", words[0], "vcenter_url",
                        words[1], "username", ctl->args.user);
        _cleanup_free_ char *ca = NULL, *text = NULL;
        int r = 0;

        *ret_status = EXIT_OTHER;
        if (ctl->args.ca) {
                r = read_file_at(AT_FDCWD, ctl->args.ca, VSPHERE_CA_MAX, &ca, NULL);
                if (r < 0) {
                        log_error_errno(r, "Failed to read the certificates in %s: %m", ctl->args.ca);
                        return NULL;
                }
        }
        if (!definition)
                r = -EINVAL;
        if (r >= 0)
                r = add_text(definition, "datacenter", ctl->args.datacenter);
        if (r >= 0)
                r = add_text(definition, "ca", ca);
        if (r >= 0)
                r = add_text(definition, "thumbprint", ctl->args.thumbprint);
        text = r >= 0 ? json_dumps(definition, JSON_COMPACT) : NULL;
        if (!text) {
                log_error("The name, the address and the user must be text in UTF-8.");
                *ret_status = EXIT_USAGE;
        }
        return TAKE_PTR(text);
}

int verb_source_add(Ctl *ctl, char **words) {
        _cleanup_(password_freep) char *password = NULL;
        _cleanup_message_ sd_bus_message *m = NULL;
        _cleanup_free_ char *definition = NULL, *prompt = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int status, r;

        if (!ctl->args.user) {
                log_error("The user that logs in is missing: --user=.");
                return EXIT_USAGE;
        }
        definition = make_definition(ctl, words, &status);
        if (!definition)
                return status;
        prompt = strprintf("Password of %s at %s", ctl->args.user, words[1]);
        status = prompt ? password_read(ctl, prompt, &password) : (log_oom(), EXIT_OTHER);
        if (status == EXIT_OK)
                status = connect_for_sources(ctl, &bus);
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_new_method_call(
                        bus, &m, HYPER_BUS_NAME, HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE, "AddSource");
        if (r >= 0)
                r = sd_bus_message_sensitive(m);
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", definition, password);
        return r < 0 ? client_failure(ctl, NULL, r, "Adding the source")
                     : client_call_message(ctl, bus, m, NULL, "Adding the source");
}

/* --- rm and test ----------------------------------------------------------------------------------- */

int verb_source_rm(Ctl *ctl, char **words) {
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = connect_for_sources(ctl, &bus);

        for (size_t i = 0; status == EXIT_OK && words[i]; i++)
                status = client_call(ctl, bus, NULL, "Removing the source", "RemoveSource", "s", words[i]);
        return status;
}

int verb_source_test(Ctl *ctl, char **words) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_json_ json_t *server = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = vsphere_connect(ctl, &bus), r;

        if (status == EXIT_OK)
                status = vsphere_call(ctl, bus, &reply, "Testing the source", "TestSource", words[0], NULL);
        if (status == EXIT_OK)
                status = client_read_json(ctl, reply, "Testing the source", &server);
        if (status != EXIT_OK)
                return status;
        if (ctl->args.json != JSON_MODE_OFF)
                return client_print_json(ctl, server);
        r = view_heading(ctl, COLOUR_GREEN, words[0]);
        if (r >= 0)
                r = view_line(ctl, "Server", COLOUR_NONE, "%s", view_string(server, "server"));
        if (r >= 0)
                r = view_line(ctl, "API", COLOUR_NONE, "%s", view_string(server, "api_version"));
        return r < 0 ? (log_oom(), EXIT_OTHER) : fflush(stdout) == 0 ? EXIT_OK : EXIT_OTHER;
}
