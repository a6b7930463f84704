/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyperctl provider …: what the v1 API calls providers, which are named sources and hosts of libvirt. */

#include <stdio.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/client.h"
#include "ctl/hosts-client.h"
#include "ctl/verb-host.h"
#include "ctl/verb-provider.h"
#include "ctl/verb-source.h"
#include "ctl/view.h"
#include "json/json-table.h"

/* --- all ------------------------------------------------------------------------------------------- */

static int add(json_t *list, const char *id, const char *type, const char *status, const char *endpoint,
                const char *error) {
        return json_array_append_new(list,
                               json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", id, "type", type, "status",
                                               status, "endpoint", endpoint, "error", error)) < 0
                        ? -ENOMEM
                        : 0;
}

static int add_sources(Ctl *ctl, json_t *list) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_json_ json_t *sources = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = client_connect(ctl, &bus), r = 0;
        json_t *source;
        size_t i;

        if (status == EXIT_OK)
                status = client_call(ctl, bus, &reply, "Listing sources", "ListSources", NULL);
        if (status == EXIT_OK)
                status = client_read_json(ctl, reply, "Listing sources", &sources);
        if (status != EXIT_OK)
                return status;
        /* Whether they can be reached is known when they are tested. */
        json_array_foreach(sources, i, source)
                if (r >= 0)
                        r = add(list, view_string(source, "name"), "vsphere", "",
                                        view_string(source, "vcenter_url"), "");
        return r < 0 ? (log_oom(), EXIT_OTHER) : EXIT_OK;
}

static int add_hosts(Ctl *ctl, json_t *list) {
        const char *id, *path, *uri, *name, *state, *error;
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        uint64_t created, updated;
        uint32_t n_vms;
        int status = hosts_connect(ctl, &bus), r;

        if (status == EXIT_OK)
                status = hosts_call(ctl, bus, &reply, "Listing hosts", "ListHosts", NULL);
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_enter_container(reply, 'a', "(sossssutt)");
        while (r >= 0 &&
                        (r = sd_bus_message_read(reply, "(sossssutt)", &id, &path, &uri, &name, &state,
                                         &error, &n_vms, &created, &updated)) > 0)
                r = add(list, id, "libvirt", state, uri, error);
        return r < 0 ? client_failure(ctl, NULL, r, "Listing hosts") : EXIT_OK;
}

/* An array of objects, or NULL with an ExitStatus. */
static json_t *list_all(Ctl *ctl, int *ret_status) {
        json_t *list = json_array();
        int status = list ? add_sources(ctl, list) : (log_oom(), EXIT_OTHER);

        if (status == EXIT_OK)
                status = add_hosts(ctl, list);
        *ret_status = status;
        if (status == EXIT_OK)
                return list;
        json_decref(list);
        return NULL;
}

static int print_table(Ctl *ctl, json_t *list) {
        static const TableColumn columns[] = { { .title = "ID", .shrink_to = 12 }, { .title = "TYPE" },
                { .title = "STATUS" }, { .title = "ENDPOINT", .shrink_to = 16 },
                { .title = "ERROR", .shrink_to = 6 } };
        static const char *const keys[] = { "id", "type", "status", "endpoint", "error" };
        _cleanup_(table_freep) Table *t = table_new(columns, ELEMENTSOF(columns));
        int r = t ? 0 : -ENOMEM;
        json_t *provider;
        size_t i;

        json_array_foreach(list, i, provider)
                for (size_t k = 0; k < ELEMENTSOF(keys) && r >= 0; k++) {
                        const char *text = view_string(provider, keys[k]);

                        r = table_add(t, *text ? text : "-", COLOUR_NONE);
                }
        return r < 0 ? (log_oom(), EXIT_OTHER) : view_table(ctl, t);
}

int verb_provider_list(Ctl *ctl, char **words) {
        _cleanup_json_ json_t *list = NULL;
        int status;

        list = list_all(ctl, &status);
        if (!list)
                return status;
        return ctl->args.json != JSON_MODE_OFF ? client_print_json(ctl, list) : print_table(ctl, list);
}

/* --- one ------------------------------------------------------------------------------------------- */

int verb_provider_add(Ctl *ctl, char **words) {
        /* The addresses of vCenters are https URLs. */
        bool is_host = strstr(words[1], "://") && !startswith(words[1], "https://");
        char *host[] = { words[1], words[0], NULL };

        return is_host ? verb_host_add(ctl, host) : verb_source_add(ctl, words);
}

static bool is_host(json_t *list, const char *id) {
        json_t *provider;
        size_t i;

        json_array_foreach(list, i, provider)
                if (streq(view_string(provider, "id"), id))
                        return streq(view_string(provider, "type"), "libvirt");
        return false;
}

/* Does something with each; all are tried, also behind one that fails. */
static int for_each(Ctl *ctl, char **words, int (*source)(Ctl *, char **), int (*host)(Ctl *, char **)) {
        _cleanup_json_ json_t *list = NULL;
        int first;

        list = list_all(ctl, &first);
        if (!list)
                return first;
        STRV_FOREACH(id, words) {
                char *word[] = { *id, NULL };
                int status = is_host(list, *id) ? host(ctl, word) : source(ctl, word);

                if (first == EXIT_OK)
                        first = status;
        }
        return first;
}

int verb_provider_rm(Ctl *ctl, char **words) {
        return for_each(ctl, words, verb_source_rm, verb_host_rm);
}

int verb_provider_test(Ctl *ctl, char **words) {
        return for_each(ctl, words, verb_source_test, verb_host_show);
}
