/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-vm-detail.h"

#include "api/job-json.h"
#include "basic/string-util.h"
#include "json/json-table.h"

#define GIB ((uint64_t) 1 << 30)
#define WORD_MAX 48u

static const char *text_of(const json_t *o, const char *key) {
        const char *text = json_string_value(json_object_get(o, key));

        return isempty(text) ? NULL : text;
}

static uint64_t number_of(const json_t *o, const char *key) {
        json_int_t n = json_integer_value(json_object_get(o, key));

        return n < 0 ? 0 : (uint64_t) n;
}

static json_t *text_json(const json_t *o, const char *key) {
        return json_text(text_of(o, key));
}

/* true, false or null */
static json_t *copy_boolean(const json_t *o, const char *key) {
        const json_t *b = json_object_get(o, key);

        return json_is_boolean(b) ? json_boolean(json_is_true(b)) : json_null();
}

static json_t *size_gb(uint64_t bytes) {
        return bytes > 0 ? json_count(bytes / GIB + (bytes % GIB > 0)) : json_null();
}

static json_t *size_bytes(uint64_t bytes) {
        return bytes > 0 ? json_count(bytes) : json_null();
}

/* "VirtualVmxnet3" is "vmxnet3". */
static json_t *model_json(const char *type) {
        char word[WORD_MAX];
        const char *rest = type ? startswith(type, "Virtual") : NULL;
        size_t n = 0;

        for (const char *p = rest ? rest : type; p && *p && n + 1 < sizeof(word); p++)
                word[n++] = *p >= 'A' && *p <= 'Z' ? (char) (*p - 'A' + 'a') : *p;
        word[n] = '\0';
        return n > 0 ? json_text(word) : json_null();
}

static json_t *numbered(const char *kind, const json_t *list) {
        return json_sprintf("%s-%zu", kind, json_array_size(list));
}

static int append(json_t *list, json_t *element) {
        return json_array_append_new(list, element) < 0 ? -ENOMEM : 0;
}

static int set(json_t *o, const char *key, json_t *value) {
        return json_object_set_new(o, key, value) < 0 ? -ENOMEM : 0;
}

/* --- vSphere --------------------------------------------------------------------------------------- */

/* How a controller is called elsewhere: the model of its bus. */
static const struct {
        const char *type, *bus;
} controllers[] = {
        { "ParaVirtualSCSIController", "pvscsi" },
        { "VirtualLsiLogicController", "lsilogic" },
        { "VirtualLsiLogicSASController", "lsisas1068" },
        { "VirtualBusLogicController", "buslogic" },
        { "VirtualIDEController", "ide" },
        { "VirtualAHCIController", "sata" },
        { "VirtualNVMEController", "nvme" },
};

static const char *bus_of(const json_t *disk) {
        const char *type = text_of(disk, "controller_type");

        for (size_t i = 0; type && i < ELEMENTSOF(controllers); i++)
                if (streq(type, controllers[i].type))
                        return controllers[i].bus;
        return NULL;
}

static json_t *vsphere_disk(const json_t *d, const json_t *list) {
        uint64_t bytes = number_of(d, "capacity_bytes");

        return json_pack("{s:o, s:o, s:o, s:s, s:o, s:s?, s:o, s:o, s:o, s:o, s:s, s:n, s:o}", "name",
                        numbered("disk", list), "size_gb", size_gb(bytes), "size_bytes", size_bytes(bytes),
                        "format", "vmdk", "thin_provisioned", copy_boolean(d, "thin_provisioned"), "bus",
                        bus_of(d), "key", json_count(number_of(d, "key")), "unit",
                        json_count(number_of(d, "unit")), "path", text_json(d, "file_path"), "mode",
                        text_json(d, "mode"), "sharing",
                        json_is_true(json_object_get(d, "shared")) ? "multi-writer" : "none",
                        "allocated_bytes", "controller", text_json(d, "controller_type"));
}

static json_t *vsphere_nic(const json_t *n, const json_t *list) {
        return json_pack("{s:o, s:o, s:o, s:o, s:o}", "name", numbered("nic", list), "type",
                        model_json(text_of(n, "type")), "network", text_json(n, "network"), "mac",
                        text_json(n, "mac"), "connected", copy_boolean(n, "connected"));
}

int v1_vm_add_vsphere(json_t *vm, const json_t *details) {
        json_t *disks = json_object_get(vm, "disks"), *nics = json_object_get(vm, "nics"), *element;
        const json_t *hardware = json_object_get(details, "hardware");
        size_t i;
        int r = 0;

        json_array_foreach(json_object_get(details, "disks"), i, element)
                if (r >= 0)
                        r = append(disks, vsphere_disk(element, disks));
        json_array_foreach(json_object_get(details, "nics"), i, element)
                if (r >= 0)
                        r = append(nics, vsphere_nic(element, nics));
        if (r >= 0)
                r = set(vm, "firmware", text_json(hardware, "firmware"));
        if (r >= 0)
                r = set(vm, "snapshot_count", json_count(number_of(details, "snapshot_count")));
        return r < 0 ? r : set(vm, "cbt_enabled", copy_boolean(details, "change_tracking"));
}

/* The names of the datastores: "[DATASTORE] DIRECTORY/FILE". */
static json_t *datastores(const json_t *disks) {
        _cleanup_json_ json_t *seen = json_object();
        json_t *list = json_array();
        const json_t *disk;
        size_t i;

        json_array_foreach(disks, i, disk) {
                const char *path = text_of(disk, "path"),
                           *end = path && path[0] == '[' ? strchr(path, ']') : NULL;
                json_t *name = end ? json_stringn(path + 1, (size_t) (end - path - 1)) : NULL;

                if (name && !json_object_get(seen, json_string_value(name))) {
                        (void) json_object_set_new(seen, json_string_value(name), json_true());
                        (void) json_array_append(list, name);
                }
                json_decref(name);
        }
        return list;
}

/* Of the concerns that hyper-vsphered has found. */
static json_t *migration(const json_t *details) {
        json_t *blockers = json_array(), *warnings = json_array();
        const json_t *concern;
        size_t i;

        json_array_foreach(json_object_get(details, "concerns"), i, concern) {
                const char *severity = text_of(concern, "severity");
                json_t *text = json_object_get(concern, "text");

                if (streq_ptr(severity, "error"))
                        (void) json_array_append(blockers, text);
                else if (streq_ptr(severity, "warning"))
                        (void) json_array_append(warnings, text);
        }
        return json_pack("{s:b, s:o, s:o}", "supported", json_array_size(blockers) == 0, "warnings",
                        warnings, "blockers", blockers);
}

/* @id: the field that is their ID. */
static int add_snapshots(json_t *vm, const json_t *list, const char *id) {
        json_t *snapshots = json_array();
        const json_t *snapshot;
        size_t i;

        json_array_foreach(list, i, snapshot) {
                const char *text = text_of(snapshot, "created_at");
                usec_t created;
                int r = append(snapshots,
                                json_pack("{s:o, s:o, s:o, s:n, s:o}", "id", text_json(snapshot, id), "name",
                                                text_json(snapshot, "name"), "created_at",
                                                text && parse_rfc3339(text, &created) >= 0
                                                                ? json_time(created)
                                                                : json_null(),
                                                "size_bytes", "current", copy_boolean(snapshot, "current")));

                if (r < 0)
                        return json_decref(snapshots), r;
        }
        return set(vm, "snapshots", snapshots);
}

static json_t *vsphere_controllers(const json_t *list) {
        json_t *all = json_array(), *c;
        size_t i;

        json_array_foreach(list, i, c)
                (void) append(all,
                                json_pack("{s:o, s:o, s:o}", "type", text_json(c, "type"), "key",
                                                json_count(number_of(c, "key")), "bus",
                                                json_count(number_of(c, "bus"))));
        return all;
}

int v1_vm_add_vsphere_all(json_t *vm, const json_t *details) {
        const json_t *hardware = json_object_get(details, "hardware");
        json_t *more;
        int r = v1_vm_add_vsphere(vm, details);

        if (r < 0)
                return r;
        more = json_pack("{s:{s:o, s:o, s:o, s:o, s:o, s:o}, s:o, s:o, s:o, s:o}", "hardware", "boot",
                        text_json(hardware, "firmware"), "controllers",
                        vsphere_controllers(json_object_get(details, "controllers")), "secure_boot",
                        copy_boolean(hardware, "secure_boot"), "tpm", copy_boolean(hardware, "tpm"),
                        "cores_per_socket", json_count(number_of(hardware, "cores_per_socket")), "version",
                        text_json(hardware, "version"), "host", text_json(details, "host"), "annotation",
                        text_json(details, "annotation"), "datastores",
                        datastores(json_object_get(vm, "disks")), "migration", migration(details));
        if (json_object_update_new(vm, more) < 0)
                return -ENOMEM;
        /* Of very many, only some are listed; their number was set before. */
        return add_snapshots(vm, json_object_get(details, "snapshots"), "id");
}

/* --- libvirt --------------------------------------------------------------------------------------- */

int v1_vm_add_libvirt_disk(json_t *vm, const V1LibvirtDisk *d) {
        json_t *disks = json_object_get(vm, "disks");

        if (!streq(d->device, "disk"))
                return 0;
        return append(disks,
                        json_pack("{s:o, s:o, s:o, s:o, s:n, s:o, s:o, s:o, s:s, s:n}", "name",
                                        numbered("disk", disks), "size_gb", size_gb(d->size), "size_bytes",
                                        size_bytes(d->size), "format",
                                        isempty(d->format) ? json_null() : json_text(d->format),
                                        "thin_provisioned", "bus", json_text(d->bus), "unit",
                                        json_text(d->target), "path",
                                        isempty(d->path) ? json_null() : json_text(d->path), "sharing",
                                        d->shareable ? "multi-writer" : "none", "allocated_bytes"));
}

int v1_vm_add_libvirt_port(json_t *vm, const V1LibvirtPort *p) {
        json_t *nics = json_object_get(vm, "nics");

        return append(nics,
                        json_pack("{s:o, s:o, s:o, s:o, s:b}", "name", numbered("nic", nics), "type",
                                        isempty(p->model) ? json_null() : json_text(p->model), "network",
                                        isempty(p->source) ? json_null() : json_text(p->source), "mac",
                                        isempty(p->mac) ? json_null() : json_text(p->mac), "connected",
                                        !streq(p->link, "down")));
}

/* libvirt names the firmware only if it has chosen it; a loader is that of EFI. */
static const char *firmware_of(const json_t *boot) {
        const char *firmware = text_of(boot, "firmware");

        if (firmware)
                return firmware;
        return text_of(boot, "loader") ? "efi" : "bios";
}

/* That is how distributions name a loader that enforces signatures. */
static bool is_secure(const json_t *boot) {
        const char *loader = text_of(boot, "loader");

        return loader && (strstr(loader, "secboot") || strstr(loader, ".ms.fd"));
}

/* One for each bus of a disk: libvirt's own list has also those of other devices. */
static json_t *libvirt_controllers(const json_t *disks) {
        json_t *all = json_array(), *disk;
        size_t i;

        json_array_foreach(disks, i, disk) {
                const char *bus = text_of(disk, "bus");
                bool is_new = bus;
                json_t *c;
                size_t k;

                json_array_foreach(all, k, c)
                        is_new = is_new && !streq_ptr(text_of(c, "type"), bus);
                if (is_new)
                        (void) append(all, json_pack("{s:s, s:n, s:n}", "type", bus, "key", "bus"));
        }
        return all;
}

int v1_vm_add_libvirt_all(json_t *vm, const json_t *extended) {
        const json_t *boot = json_object_get(extended, "boot_config"),
                     *topology = json_object_get(extended, "cpu_topology");
        bool tpm = json_array_size(json_object_get(extended, "tpm_attachments")) > 0;
        uint64_t cores = number_of(topology, "cores");
        json_t *more = json_pack("{s:{s:s, s:o, s:b, s:b, s:o, s:o}, s:s, s:{s:b, s:[], s:[]}}", "hardware",
                        "boot", firmware_of(boot), "controllers",
                        libvirt_controllers(json_object_get(vm, "disks")), "secure_boot", is_secure(boot),
                        "tpm", tpm, "cores_per_socket", cores > 0 ? json_count(cores) : json_null(),
                        "version", text_json(json_object_get(extended, "vm_info"), "machine"), "firmware",
                        firmware_of(boot), "migration", "supported", false, "warnings", "blockers");

        if (json_object_update_new(vm, more) < 0)
                return -ENOMEM;
        return json_object_get(vm, "snapshots") ? 0 : set(vm, "snapshots", json_null());
}

int v1_vm_add_libvirt_snapshots(json_t *vm, const json_t *list) {
        int r = add_snapshots(vm, list, "name");

        return r < 0 ? r : set(vm, "snapshot_count", json_count(json_array_size(list)));
}
