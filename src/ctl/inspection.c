/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/inspection.h"

#include <inttypes.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "shared/error-table.h"
#include "json/json-table.h"

/* --- calls ----------------------------------------------------------------------------------------- */

/* A manager of an earlier version has no such method, and a job says all that is wrong, too. */
static bool is_passed_over(const sd_bus_error *error) {
        return sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_METHOD) ||
                        sd_bus_error_has_name(error, HYPER_BUS_ERROR_UNAVAILABLE);
}

static int call(Ctl *ctl, sd_bus *bus, sd_bus_message *m, const char *what, json_t **ret) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_message_ sd_bus_message *reply = NULL;
        int r = sd_bus_call(bus, m, 0, &error, &reply);

        if (r < 0 && is_passed_over(&error)) {
                *ret = NULL;
                return EXIT_OK;
        }
        return r < 0 ? client_failure(ctl, &error, r, what) : client_read_json(ctl, reply, what, ret);
}

static int call_new(sd_bus *bus, const char *method, sd_bus_message **ret) {
        _cleanup_message_ sd_bus_message *m = NULL;
        int r = sd_bus_message_new_method_call(
                        bus, &m, HYPER_BUS_NAME, HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE, method);

        if (r >= 0)
                r = sd_bus_message_set_allow_interactive_authorization(m, true);
        if (r >= 0)
                r = sd_bus_message_sensitive(m);
        if (r >= 0)
                *ret = TAKE_PTR(m);
        return r;
}

int inspection_of_source(Ctl *ctl, sd_bus *bus, json_t *source, json_t **ret) {
        static const char what[] = "Inspecting the source";
        _cleanup_message_ sd_bus_message *m = NULL;
        char *text = json_dumps(source, JSON_COMPACT);
        int r = text ? call_new(bus, "InspectSource", &m) : -ENOMEM;

        if (r >= 0)
                r = sd_bus_message_append(m, "sa{sv}", text, 0);
        if (text)
                explicit_bzero(text, strlen(text)); /* it may contain a password */
        free(text);
        return r < 0 ? client_failure(ctl, NULL, r, what) : call(ctl, bus, m, what, ret);
}

int inspection_of_destination(Ctl *ctl, sd_bus *bus, const char *path, uint64_t size, json_t **ret) {
        static const char what[] = "Inspecting the destination";
        _cleanup_message_ sd_bus_message *m = NULL;
        _cleanup_json_ json_t *destination = json_pack("{s:s, s:s}", "type", "file", "path", path);
        _cleanup_free_ char *text = destination ? json_dumps(destination, JSON_COMPACT) : NULL;
        int r = text ? call_new(bus, "InspectDestination", &m) : -ENOMEM;

        if (r >= 0)
                r = sd_bus_message_append(m, "sta{sv}", text, size, 0);
        return r < 0 ? client_failure(ctl, NULL, r, what) : call(ctl, bus, m, what, ret);
}

/* --- lines ----------------------------------------------------------------------------------------- */

static int view_disks(Ctl *ctl, json_t *disks) {
        json_t *disk;
        size_t i;
        int r = 0;

        json_array_foreach(disks, i, disk) {
                uint64_t bytes = view_number(disk, "size");
                const char *format = view_string(disk, "format");
                char size[BYTES_SIZE];

                if (r >= 0)
                        r = view_line(ctl, i == 0 ? "Disks" : "", COLOUR_NONE, "%s, %s%s%s",
                                        view_string(disk, "file"),
                                        bytes > 0 ? format_bytes(size, bytes) : "size not known",
                                        *format ? ", " : "", format);
        }
        return r;
}

/* The hardware of an OVF; that of a virtual machine has other keys, and "vsphere show" has it. */
static int view_hardware(Ctl *ctl, json_t *vm) {
        uint64_t cpus = view_number(vm, "cpus"), memory = view_number(vm, "memory");
        const char *firmware = view_string(vm, "firmware");
        char text[BYTES_SIZE];

        if (cpus == 0 && memory == 0)
                return 0;
        return view_line(ctl, "Hardware", COLOUR_NONE, "%" PRIu64 " CPUs, %s%s%s", cpus,
                        format_bytes(text, memory), *firmware ? ", " : "", firmware);
}

static Colour colour_of(const char *severity) {
        return streq(severity, "error")              ? COLOUR_RED
                        : streq(severity, "warning") ? COLOUR_YELLOW
                                                     : COLOUR_NONE;
}

int concerns_view(Ctl *ctl, json_t *concerns) {
        json_t *concern;
        size_t i;
        int r = 0;

        json_array_foreach(concerns, i, concern)
                if (r >= 0)
                        r = view_line(ctl, i == 0 ? "Concerns" : "",
                                        colour_of(view_string(concern, "severity")), "%s: %s. %s",
                                        view_string(concern, "severity"), view_string(concern, "text"),
                                        view_string(concern, "remedy"));
        return r;
}

int concerns_add_worst(Table *t, json_t *concerns) {
        json_t *first = json_array_get(concerns, 0);
        const char *code = view_string(first, "code");

        return table_add(t, *code ? code : "-",
                        !*code                                                           ? COLOUR_NONE
                                        : streq(view_string(first, "severity"), "error") ? COLOUR_RED
                                                                                         : COLOUR_YELLOW);
}

int inspection_view(Ctl *ctl, json_t *inspection) {
        int r = view_line(ctl, "Format", COLOUR_NONE, "%s", view_string(inspection, "format"));

        if (r >= 0)
                r = view_disks(ctl, json_object_get(inspection, "disks"));
        if (r >= 0)
                r = view_hardware(ctl, json_object_get(inspection, "vm"));
        return r < 0 ? r : concerns_view(ctl, json_object_get(inspection, "concerns"));
}
