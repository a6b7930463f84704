/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/migrate-plan.h"

#include <inttypes.h>
#include <sys/stat.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "ctl/client.h"
#include "ctl/inspection.h"

/* --- the source ------------------------------------------------------------------------------------ */

void migrate_plan_done(MigratePlan *p) {
        json_decref(p->source);
        json_decref(p->destination);
}

/* On this machine, unless the disks are only sent from there. */
static int read_destination(Ctl *ctl, sd_bus *bus, const JobSpec *spec, MigratePlan *p) {
        const char *path = spec->destination.path;

        return path ? inspection_of_destination(
                                      ctl, bus, path, view_number(p->source, "size"), &p->destination)
                    : EXIT_OK;
}

int migrate_plan_read(Ctl *ctl, const JobSpec *spec, json_t *source, MigratePlan *ret) {
        bool known = spec->source.type == ENDPOINT_FILE || spec->source.type == ENDPOINT_VSPHERE;
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = client_connect(ctl, &bus);

        if (status == EXIT_OK && known)
                status = inspection_of_source(ctl, bus, source, &ret->source);
        return status == EXIT_OK ? read_destination(ctl, bus, spec, ret) : status;
}

/* Of a file, how large it is; all else is read by the job. */
static int show_file(Ctl *ctl, const char *path) {
        char size[BYTES_SIZE];
        struct stat st;

        if (ctl->args.transport != TRANSPORT_LOCAL || !path || stat(path, &st) < 0 || !S_ISREG(st.st_mode))
                return 0;
        return view_line(ctl, "Size", COLOUR_NONE, "%s in the file",
                        format_bytes(size, (uint64_t) st.st_size));
}

static int show_disks(Ctl *ctl, json_t *vm) {
        json_t *disk;
        size_t i;
        int r = 0;

        json_array_foreach(json_object_get(vm, "disks"), i, disk) {
                char size[BYTES_SIZE];
                if (r >= 0)
                        r = view_line(ctl, i == 0 ? "Disks" : "", COLOUR_NONE, "%s, %s",
                                        view_string(disk, "label"),
                                        format_bytes(size, view_number(disk, "capacity_bytes")));
        }
        return r;
}

static int show_vm(Ctl *ctl, json_t *vm) {
        char memory[BYTES_SIZE];
        int r = view_line(ctl, "Power", COLOUR_NONE, "%s", view_string(vm, "power_state"));

        if (r >= 0)
                r = show_disks(ctl, vm);
        if (r >= 0)
                r = view_line(ctl, "Hardware", COLOUR_NONE, "%" PRIu64 " CPUs, %s, %s",
                                view_number(vm, "num_cpu"),
                                format_bytes(memory, view_number(vm, "memory_mb") << 20),
                                view_string(json_object_get(vm, "hardware"), "firmware"));
        return r;
}

static const char *what_happens_to_source(const JobSpec *spec) {
        if (spec->source.type != ENDPOINT_VSPHERE)
                return "only read, and left as it is";
        if (spec->parameters.warm)
                return "copied while it runs, shut down for the cutover, and left off";
        return spec->parameters.source_power == VSPHERE_POWER_SHUTDOWN
                        ? "shut down if it is running, and left off"
                        : spec->parameters.source_power == VSPHERE_POWER_OFF
                        ? "powered off if it is running, and left off"
                        : "copied from a snapshot if it is running, and left as it is";
}

static int show_source(Ctl *ctl, const JobSpec *spec, json_t *inspection) {
        bool is_vm = spec->source.type == ENDPOINT_VSPHERE && inspection;
        int r = view_endpoint(ctl, "Source", json_object_get(spec->document, "source"));

        if (r >= 0)
                r = is_vm ? show_vm(ctl, json_object_get(inspection, "vm"))
                          : show_file(ctl, spec->source.path);
        if (r >= 0)
                r = is_vm                    ? concerns_view(ctl, json_object_get(inspection, "concerns"))
                                : inspection ? inspection_view(ctl, inspection)
                                             : 0;
        return r < 0 ? r : view_line(ctl, "", COLOUR_NONE, "%s", what_happens_to_source(spec));
}

/* --- the domain ------------------------------------------------------------------------------------ */

static int show_networks(Ctl *ctl, const JobSpec *spec, json_t *vm) {
        json_t *map = spec->destination.kvm.network_map, *nic, *value;
        const char *key, *label = "Networks";
        size_t i;
        int r = 0;

        json_array_foreach(json_object_get(vm, "nics"), i, nic) {
                const char *to = json_string_value(json_object_get(map, view_string(nic, "network")));
                if (r >= 0)
                        r = view_line(ctl, label, COLOUR_NONE, "%s: %s -> %s", view_string(nic, "mac"),
                                        view_string(nic, "network"),
                                        to ? to : "default if it is the only one, else not connected");
                label = "";
        }
        if (i == 0)
                json_object_foreach(map, key, value) {
                        if (r >= 0)
                                r = view_line(ctl, label, COLOUR_NONE, "%s -> %s", key,
                                                json_string_value(value));
                        label = "";
                }
        return r;
}

/* What differs from the hardware of the source. */
static int show_hardware(Ctl *ctl, const JobSpec *spec) {
        _cleanup_free_ char *text = NULL;

        if (!spec->destination.kvm.hardware)
                return 0;
        text = json_dumps(spec->destination.kvm.hardware, JSON_COMPACT);
        return text ? view_line(ctl, "Changed", COLOUR_NONE, "%s", text) : -ENOMEM;
}

static int show_space(Ctl *ctl, json_t *destination) {
        char free_bytes[BYTES_SIZE], total[BYTES_SIZE];
        int r = destination ? view_line(ctl, "Free", COLOUR_NONE, "%s of %s",
                                              format_bytes(free_bytes, view_number(destination, "free")),
                                              format_bytes(total, view_number(destination, "total")))
                            : 0;

        return r < 0 ? r : concerns_view(ctl, json_object_get(destination, "concerns"));
}

static int show_domain(Ctl *ctl, const JobSpec *spec, json_t *vm, json_t *destination) {
        const JobEndpoint *d = &spec->destination;
        int r = view_line(ctl, "Domain", COLOUR_BOLD, "%s", d->kvm.name);

        if (r >= 0)
                r = view_line(ctl, "Host", COLOUR_NONE, "%s", kvm_spec_uri(&d->kvm));
        if (r >= 0 && d->kvm.pool)
                r = view_line(ctl, "Storage pool", COLOUR_NONE, "%s", d->kvm.pool);
        if (r >= 0 && (!d->kvm.pool || kvm_spec_is_remote(&d->kvm)))
                r = view_line(ctl, "First disk", COLOUR_NONE, "%s%s", d->path,
                                d->kvm.pool ? ", until it is on the host" : "");
        if (r >= 0)
                r = show_space(ctl, destination);
        if (r >= 0)
                r = show_hardware(ctl, spec);
        return r < 0 ? r : show_networks(ctl, spec, vm);
}

/* --- the steps ------------------------------------------------------------------------------------- */

static int show_fix(Ctl *ctl, const JobSpec *spec) {
        unsigned fix = spec->parameters.fix;

        if (fix == 0 || (fix & FIX_AUTO))
                return view_line(ctl, "Guest", COLOUR_NONE, "%s",
                                fix == 0 ? "left as it is" : "changed in the copy so that it starts on KVM");
        json_t *list = job_fix_to_json(fix);
        _cleanup_free_ char *text = list ? json_dumps(list, JSON_COMPACT) : NULL;
        json_decref(list);
        return text ? view_line(ctl, "Guest", COLOUR_NONE, "changed in the copy: %s", text) : -ENOMEM;
}

static int show_steps(Ctl *ctl, const JobSpec *spec) {
        int r = view_line(ctl, "Copy", COLOUR_NONE, "%s",
                        spec->parameters.verify == VERIFY_FULL    ? "compared with the source, all bytes"
                                        : spec->parameters.verify ? "compared with the source"
                                                                  : "not compared with the source");

        if (r >= 0)
                r = show_fix(ctl, spec);
        if (r >= 0 && spec->parameters.boot_check)
                r = view_line(ctl, "Boot check", COLOUR_NONE,
                                "a trial without a network shows whether it boots");
        return r < 0 ? r
                     : view_line(ctl, "Afterwards", COLOUR_NONE, "%s",
                                       spec->destination.kvm.start
                                                       ? "the domain is started"
                                                       : "the domain is defined, but not started");
}

int migrate_plan_show(Ctl *ctl, const JobSpec *spec, const MigratePlan *plan) {
        int r = show_source(ctl, spec, plan->source);

        if (r >= 0)
                r = show_domain(ctl, spec, json_object_get(plan->source, "vm"), plan->destination);
        return r < 0 ? r : show_steps(ctl, spec);
}
