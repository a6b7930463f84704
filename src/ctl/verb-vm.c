/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyperctl vm …: virtual machines of libvirt hosts. */

#include <inttypes.h>
#include <stdio.h>

#include "basic/log.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "ctl/hosts-client.h"
#include "ctl/inspection.h"
#include "ctl/text.h"
#include "ctl/verb-vm.h"
#include "ctl/view.h"
#include "json/json-table.h"

/* --- list ------------------------------------------------------------------------------------------ */

static int add_json(const ListedVm *vm, void *userdata) {
        json_t *list = userdata;

        return json_array_append_new(list,
                               json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:o?}", "host", vm->host,
                                               "name", vm->name, "uuid", vm->uuid, "description",
                                               vm->description, "state", vm->state, "vcpus", (int) vm->vcpus,
                                               "memory", (json_int_t) vm->memory, "concerns",
                                               json_loads(vm->concerns, 0, NULL))) < 0
                        ? -ENOMEM
                        : 0;
}

static int add_concern(Table *t, const char *text) {
        _cleanup_json_ json_t *concerns = json_loads(text, 0, NULL);

        return concerns_add_worst(t, concerns);
}

static int add_row(const ListedVm *vm, void *userdata) {
        char memory[BYTES_SIZE];
        Table *t = userdata;

        return table_add(t, vm->host, COLOUR_NONE) < 0 || table_add(t, vm->name, COLOUR_NONE) < 0 ||
                                        table_add(t, vm->state, colour_of_vm_state(vm->state)) < 0 ||
                                        table_addf(t, COLOUR_NONE, "%" PRIu32, vm->vcpus) < 0 ||
                                        table_add(t, format_bytes(memory, vm->memory), COLOUR_NONE) < 0 ||
                                        table_add(t, vm->description, COLOUR_NONE) < 0 ||
                                        add_concern(t, vm->concerns) < 0
                        ? -ENOMEM
                        : 0;
}

static int list_as_json(Ctl *ctl, sd_bus *bus, const char *host) {
        _cleanup_json_ json_t *list = json_array();
        int status = list ? hosts_each_vm(ctl, bus, host, add_json, list) : EXIT_OTHER;

        return status == EXIT_OK ? client_print_json(ctl, list) : status;
}

int verb_vm_list(Ctl *ctl, char **words) {
        static const TableColumn columns[] = { { .title = "HOST" }, { .title = "NAME", .shrink_to = 12 },
                { .title = "STATE" }, { .title = "CPUS", .right = true },
                { .title = "MEMORY", .right = true }, { .title = "DESCRIPTION", .shrink_to = 6 },
                { .title = "CONCERN" } };
        _cleanup_(table_freep) Table *t = table_new(columns, ELEMENTSOF(columns));
        _cleanup_bus_ sd_bus *bus = NULL;
        int status;

        if (!t)
                return log_oom(), EXIT_OTHER;
        status = hosts_connect(ctl, &bus);
        if (status != EXIT_OK)
                return status;
        if (ctl->args.json != JSON_MODE_OFF)
                return list_as_json(ctl, bus, words[0]);
        status = hosts_each_vm(ctl, bus, words[0], add_row, t);
        if (status != EXIT_OK)
                return status;
        status = view_table(ctl, t);
        if (status == EXIT_OK && !ctl->args.no_legend)
                printf("\n%zu VMs listed.\n", table_rows(t));
        return status;
}

/* --- show ------------------------------------------------------------------------------------------ */

static int print_hardware(Ctl *ctl, json_t *hardware) {
        json_t *item;
        size_t i;
        int r = 0;

        json_array_foreach(json_object_get(hardware, "disks"), i, item) {
                if (r >= 0)
                        r = view_line(ctl, i == 0 ? "Disks" : "", COLOUR_NONE, "%s (%s %s, %s)",
                                        view_string(item, "path"),
                                        view_string(json_object_get(item, "target"), "dev"),
                                        view_string(item, "device"),
                                        view_string(json_object_get(item, "driver"), "type"));
        }
        json_array_foreach(json_object_get(hardware, "networks"), i, item) {
                json_t *source = json_object_get(item, "source");
                const char *to = view_string(source, "bridge");

                if (r >= 0)
                        r = view_line(ctl, i == 0 ? "Networks" : "", COLOUR_NONE, "%s %s %s (%s)",
                                        view_string(json_object_get(item, "mac"), "address"),
                                        view_string(item, "type"), *to ? to : view_string(source, "network"),
                                        view_string(json_object_get(item, "model"), "type"));
        }
        json_array_foreach(json_object_get(hardware, "graphics"), i, item) {
                json_t *port = json_object_get(item, "port");

                if (r >= 0)
                        r = port ? view_line(ctl, i == 0 ? "Displays" : "", COLOUR_NONE, "%s, port %" PRIu64,
                                                   view_string(item, "type"),
                                                   (uint64_t) json_integer_value(port))
                                 : view_line(ctl, i == 0 ? "Displays" : "", COLOUR_NONE, "%s",
                                                   view_string(item, "type"));
        }
        return r;
}

static int print_vm(Ctl *ctl, json_t *o) {
        Colour colour = colour_of_vm_state(view_string(o, "State"));
        char memory[BYTES_SIZE];
        int r = view_heading(ctl, colour, view_string(o, "Name"));

        if (r >= 0)
                r = view_line(ctl, "Host", COLOUR_NONE, "%s", view_string(o, "Host"));
        if (r >= 0)
                r = view_line(ctl, "UUID", COLOUR_NONE, "%s", view_string(o, "Uuid"));
        if (r >= 0)
                r = view_line(ctl, "Description", COLOUR_NONE, "%s", view_string(o, "Description"));
        if (r >= 0)
                r = view_line(ctl, "State", colour, "%s", view_string(o, "State"));
        if (r >= 0)
                r = view_line(ctl, "Processors", COLOUR_NONE, "%" PRIu64, view_number(o, "VcpuCount"));
        if (r >= 0)
                r = view_line(ctl, "Memory", COLOUR_NONE, "%s",
                                format_bytes(memory, view_number(o, "MemoryBytes")));
        if (r >= 0)
                r = print_hardware(ctl, json_object_get(o, "hardware"));
        return r < 0 ? r : concerns_view(ctl, json_object_get(o, "concerns"));
}

/* Puts the VM's hardware into @o as "hardware". */
static int add_hardware(Ctl *ctl, sd_bus *bus, const char *path, json_t *o) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        const char *text;
        int status, r;

        status = hosts_call_object(ctl, bus, &reply, "Asking for the hardware", path,
                        HYPER_HOSTS_VM_INTERFACE, "GetHardware");
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_read(reply, "s", &text);
        if (r < 0)
                return client_failure(ctl, NULL, r, "Asking for the hardware");
        return json_object_set_new(o, "hardware", json_loads(text, 0, NULL)) < 0 ? EXIT_OTHER : EXIT_OK;
}

/* All of them, with those that its object does not have. */
static int add_concerns(Ctl *ctl, sd_bus *bus, json_t *o) {
        static const char what[] = "Inspecting a VM";
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_json_ json_t *inspection = NULL;
        int status = hosts_call(ctl, bus, &reply, what, "InspectVm", "ss", view_string(o, "Host"),
                        view_string(o, "Uuid"));

        if (status == EXIT_OK)
                status = client_read_json(ctl, reply, what, &inspection);
        if (status == EXIT_OK && json_object_set(o, "concerns", json_object_get(inspection, "concerns")) < 0)
                return EXIT_OTHER;
        return status;
}

int verb_vm_show(Ctl *ctl, char **words) {
        _cleanup_free_ char *path = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        _cleanup_json_ json_t *o = NULL;
        int status, printed = 0;

        status = hosts_connect(ctl, &bus);
        if (status == EXIT_OK)
                status = hosts_find_vm(ctl, bus, words[1] ? words[0] : NULL, words[1] ? words[1] : words[0],
                                &path, NULL);
        if (status == EXIT_OK)
                status = hosts_get_properties(ctl, bus, "Showing a VM", path, HYPER_HOSTS_VM_INTERFACE, &o);
        if (status != EXIT_OK)
                return status;
        /* Of a host that is away there is what is known, and the error says the rest. */
        status = add_hardware(ctl, bus, path, o);
        if (status == EXIT_OK)
                status = add_concerns(ctl, bus, o);
        if (ctl->args.json != JSON_MODE_OFF)
                printed = client_print_json(ctl, o);
        else if (print_vm(ctl, o) < 0)
                printed = (log_oom(), EXIT_OTHER);
        return status == EXIT_OK ? printed : status;
}

/* --- actions --------------------------------------------------------------------------------------- */

/* One word is a VM; of several, the first is the host. All are tried, also behind one that fails. */
static int act(Ctl *ctl, char **words, const char *method, const char *doing) {
        const char *host = words[1] ? words[0] : NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int first, status;

        first = hosts_connect(ctl, &bus);
        if (first != EXIT_OK)
                return first;
        ctl->action = "org.hyper1.manage-vms";
        STRV_FOREACH(vm, host ? words + 1 : words) {
                _cleanup_free_ char *what = strprintf("%s VM %s", doing, *vm), *path = NULL;

                status = what ? hosts_find_vm(ctl, bus, host, *vm, &path, NULL) : EXIT_OTHER;
                if (status == EXIT_OK)
                        status = hosts_call_object(
                                        ctl, bus, NULL, what, path, HYPER_HOSTS_VM_INTERFACE, method);
                if (first == EXIT_OK)
                        first = status;
        }
        return first;
}

int verb_vm_start(Ctl *ctl, char **words) {
        return act(ctl, words, "Start", "Starting");
}

int verb_vm_shutdown(Ctl *ctl, char **words) {
        return act(ctl, words, "Shutdown", "Shutting down");
}

int verb_vm_reboot(Ctl *ctl, char **words) {
        return act(ctl, words, "Reboot", "Rebooting");
}

int verb_vm_destroy(Ctl *ctl, char **words) {
        return act(ctl, words, "Destroy", "Powering off");
}

int verb_vm_reset(Ctl *ctl, char **words) {
        return act(ctl, words, "Reset", "Resetting");
}
