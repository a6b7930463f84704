/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyperctl vsphere …: virtual machines of named sources. */

#include <inttypes.h>
#include <stdio.h>

#include "basic/log.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "ctl/inspection.h"
#include "ctl/verb-vsphere.h"
#include "ctl/view.h"
#include "ctl/vsphere-client.h"
#include "json/json-table.h"

#define PAGE 10000u

/* --- list ------------------------------------------------------------------------------------------ */

static char *make_filter(const Ctl *ctl) {
        _cleanup_json_ json_t *filter = json_object();

        if (ctl->args.name && json_object_set_new(filter, "name", json_string(ctl->args.name)) < 0)
                return NULL;
        if (ctl->args.datacenter &&
                        json_object_set_new(filter, "datacenter", json_string(ctl->args.datacenter)) < 0)
                return NULL;
        return filter ? json_dumps(filter, JSON_COMPACT) : NULL;
}

/* Adds a page to the list. *cursor is that of the next page, "" behind the last one. */
static int read_page(
                Ctl *ctl, sd_bus *bus, const char *source, const char *filter, char **cursor, json_t *list) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_json_ json_t *page = NULL;
        const char *text, *next;
        int status = vsphere_call(ctl, bus, &reply, "Listing the VMs", "ListVMs", source, "sus", filter,
                        (uint32_t) PAGE, *cursor);
        int r;

        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_read(reply, "sst", &text, &next, NULL);
        page = r >= 0 ? json_loads(text, 0, NULL) : NULL;
        if (r >= 0 && (!page || json_array_extend(list, page) < 0))
                r = -EBADMSG;
        if (r >= 0)
                r = free_and_strdup(cursor, next);
        return r < 0 ? client_failure(ctl, NULL, r, "Listing the VMs") : EXIT_OK;
}

static int read_list(Ctl *ctl, const char *source, json_t *list) {
        _cleanup_free_ char *filter = make_filter(ctl), *cursor = strdup("");
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = vsphere_connect(ctl, &bus);

        if (!filter || !cursor)
                return log_oom(), EXIT_OTHER;
        do {
                if (status == EXIT_OK)
                        status = read_page(ctl, bus, source, filter, &cursor, list);
        } while (status == EXIT_OK && *cursor);
        return status;
}

static Colour colour_of_power(const char *state) {
        return streq(state, "poweredOn")            ? COLOUR_GREEN
                        : streq(state, "suspended") ? COLOUR_YELLOW
                                                    : COLOUR_NONE;
}

static int add_row(Table *t, json_t *vm) {
        const char *power = view_string(vm, "power_state"), *ip = view_string(vm, "ip_address");
        char memory[BYTES_SIZE], storage[BYTES_SIZE];

        return table_add(t, view_string(vm, "path"), COLOUR_NONE) < 0 ||
                                        table_add(t, power, colour_of_power(power)) < 0 ||
                                        table_addf(t, COLOUR_NONE, "%" PRIu64, view_number(vm, "num_cpu")) <
                                                        0 ||
                                        table_add(t,
                                                        format_bytes(memory,
                                                                        view_number(vm, "memory_mb") << 20),
                                                        COLOUR_NONE) < 0 ||
                                        table_add(t, format_bytes(storage, view_number(vm, "storage")),
                                                        COLOUR_NONE) < 0 ||
                                        table_add(t, *ip ? ip : "-", COLOUR_NONE) < 0 ||
                                        table_add(t, view_string(vm, "guest_os"), COLOUR_NONE) < 0 ||
                                        concerns_add_worst(t, json_object_get(vm, "concerns")) < 0
                        ? -ENOMEM
                        : 0;
}

int verb_vsphere_list(Ctl *ctl, char **words) {
        static const TableColumn columns[] = { { .title = "PATH", .shrink_to = 20 }, { .title = "POWER" },
                { .title = "CPUS", .right = true }, { .title = "MEMORY", .right = true },
                { .title = "STORAGE", .right = true }, { .title = "ADDRESS" },
                { .title = "GUEST", .shrink_to = 6 }, { .title = "CONCERN" } };
        _cleanup_(table_freep) Table *t = table_new(columns, ELEMENTSOF(columns));
        _cleanup_json_ json_t *list = json_array();
        json_t *vm;
        size_t i;
        int status = t && list ? read_list(ctl, words[0], list) : (log_oom(), EXIT_OTHER);

        if (status != EXIT_OK)
                return status;
        if (ctl->args.json != JSON_MODE_OFF)
                return client_print_json(ctl, list);
        json_array_foreach(list, i, vm)
                if (add_row(t, vm) < 0)
                        return log_oom(), EXIT_OTHER;
        status = view_table(ctl, t);
        if (status == EXIT_OK && !ctl->args.no_legend)
                printf("\n%zu VMs listed.\n", table_rows(t));
        return status;
}

/* --- show ------------------------------------------------------------------------------------------ */

static int print_devices(Ctl *ctl, json_t *vm) {
        json_t *item;
        size_t i;
        int r = 0;

        json_array_foreach(json_object_get(vm, "disks"), i, item) {
                char size[BYTES_SIZE];

                if (r >= 0)
                        r = view_line(ctl, i == 0 ? "Disks" : "", COLOUR_NONE, "%s (%s, %s)",
                                        view_string(item, "file_path"), view_string(item, "label"),
                                        format_bytes(size, view_number(item, "capacity_bytes")));
        }
        json_array_foreach(json_object_get(vm, "nics"), i, item)
                if (r >= 0)
                        r = view_line(ctl, i == 0 ? "Networks" : "", COLOUR_NONE, "%s %s (%s)",
                                        view_string(item, "mac"), view_string(item, "network"),
                                        view_string(item, "type"));
        json_array_foreach(json_object_get(vm, "cdroms"), i, item)
                if (r >= 0)
                        r = view_line(ctl, i == 0 ? "CD-ROMs" : "", COLOUR_NONE, "%s %s",
                                        view_string(item, "label"), view_string(item, "file_path"));
        return r;
}

static int print_vm(Ctl *ctl, json_t *vm) {
        static const struct {
                const char *label, *key;
        } lines[] = { { "Path", "path" }, { "Power", "power_state" }, { "UUID", "uuid" },
                { "Guest", "guest_os" }, { "Address", "ip_address" }, { "Tools", "tools_status" },
                { "Host", "host" }, { "Notes", "annotation" } };
        json_t *hardware = json_object_get(vm, "hardware");
        char memory[BYTES_SIZE];
        int r = view_heading(ctl, colour_of_power(view_string(vm, "power_state")), view_string(vm, "name"));

        for (size_t i = 0; i < ELEMENTSOF(lines) && r >= 0; i++)
                r = view_line(ctl, lines[i].label, COLOUR_NONE, "%s", view_string(vm, lines[i].key));
        if (r >= 0)
                r = view_line(ctl, "Hardware", COLOUR_NONE, "%" PRIu64 " CPUs, %s, %s",
                                view_number(vm, "num_cpu"),
                                format_bytes(memory, view_number(vm, "memory_mb") << 20),
                                view_string(hardware, "firmware"));
        if (r >= 0)
                r = print_devices(ctl, vm);
        return r < 0 ? r : concerns_view(ctl, json_object_get(vm, "concerns"));
}

int verb_vsphere_show(Ctl *ctl, char **words) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_json_ json_t *vm = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = vsphere_connect(ctl, &bus);

        if (status == EXIT_OK)
                status = vsphere_call(ctl, bus, &reply, "Reading the VM", "GetVM", words[0], "s", words[1]);
        if (status == EXIT_OK)
                status = client_read_json(ctl, reply, "Reading the VM", &vm);
        if (status != EXIT_OK)
                return status;
        if (ctl->args.json != JSON_MODE_OFF)
                return client_print_json(ctl, vm);
        return print_vm(ctl, vm) < 0 ? (log_oom(), EXIT_OTHER) : fflush(stdout) == 0 ? EXIT_OK : EXIT_OTHER;
}

/* --- changes --------------------------------------------------------------------------------------- */

static int power(Ctl *ctl, char **words, const char *what, const char *action) {
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = vsphere_connect(ctl, &bus);

        for (size_t i = 1; status == EXIT_OK && words[i]; i++)
                status = vsphere_call(ctl, bus, NULL, what, "PowerVM", words[0], "ss", words[i], action);
        return status;
}

int verb_vsphere_shutdown(Ctl *ctl, char **words) {
        return power(ctl, words, "Shutting down the VM", "shutdown");
}

int verb_vsphere_poweroff(Ctl *ctl, char **words) {
        return power(ctl, words, "Powering off the VM", "off");
}

int verb_vsphere_rm_cdrom(Ctl *ctl, char **words) {
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = vsphere_connect(ctl, &bus);

        for (size_t i = 1; status == EXIT_OK && words[i]; i++) {
                _cleanup_message_ sd_bus_message *reply = NULL;
                uint32_t removed = 0;

                status = vsphere_call(ctl, bus, &reply, "Removing the CD-ROM drives", "RemoveCdroms",
                                words[0], "s", words[i]);
                if (status == EXIT_OK && sd_bus_message_read(reply, "u", &removed) >= 0 && !ctl->args.quiet)
                        printf("%s: %" PRIu32 " CD-ROM drives removed.\n", words[i], removed);
        }
        return status;
}
