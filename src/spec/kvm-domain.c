/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/kvm-domain.h"

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "spec/job-path.h"
#include "spec/vm-json.h"
#include "json/json-parse.h"

static int bus_from_string(const char *s) {
        return vm_bus_from_string(s);
}

static const JsonField domain_fields[] = {
        { "job_id", JSON_FIELD_STRING, offsetof(KvmDomain, job_id), .flags = JSON_REQUIRED | JSON_NONEMPTY,
                        .max = 128 },
        { "name", JSON_FIELD_STRING, offsetof(KvmDomain, name), .flags = JSON_REQUIRED,
                        .max = KVM_NAME_MAX },
        { "vm", JSON_FIELD_KNOWN, 0, .flags = JSON_REQUIRED },
        { "disks", JSON_FIELD_KNOWN, 0, .flags = JSON_REQUIRED },
        { "network_map", JSON_FIELD_ANY, offsetof(KvmDomain, network_map) },
        { "disk_bus", JSON_FIELD_ENUM, offsetof(KvmDomain, disk_bus), .from_string = bus_from_string,
                        .expected = "scsi, sata, ide, virtio" },
        { "nic_model", JSON_FIELD_STRING, offsetof(KvmDomain, nic_model), .max = VM_WORD_MAX },
        { "start", JSON_FIELD_BOOLEAN, offsetof(KvmDomain, start) },
        { "headless", JSON_FIELD_BOOLEAN, offsetof(KvmDomain, headless) },
        {},
};

static const JsonField disk_fields[] = {
        { "path", JSON_FIELD_STRING, offsetof(KvmDisk, path), .flags = JSON_REQUIRED },
        { "format", JSON_FIELD_STRING, offsetof(KvmDisk, format), .flags = JSON_REQUIRED,
                        .max = VM_WORD_MAX },
        { "bus", JSON_FIELD_ENUM, offsetof(KvmDisk, bus), .from_string = bus_from_string,
                        .expected = "scsi, sata, ide, virtio" },
        {},
};

KvmDomain *kvm_domain_free(KvmDomain *d) {
        if (!d)
                return NULL;
        for (size_t i = 0; i < d->n_disks; i++)
                json_table_done(disk_fields, &d->disks[i]);
        free(d->disks);
        vm_hardware_free(d->vm);
        free(d->pool);
        json_table_done(domain_fields, d);
        return mfree(d);
}

bool kvm_name_is_valid(const char *name, const char **ret_reason) {
        size_t n = strlen(name);

        if (n < 1 || n > KVM_NAME_MAX || !utf8_is_valid(name) || utf8_has_control(name) || strchr(name, '/'))
                *ret_reason = "must be 1 to 200 bytes without slashes and control characters";
        else if (name[0] == '.' || name[0] == '-')
                *ret_reason = "must not begin with \".\" or \"-\"";
        else if (name[0] == ' ' || name[n - 1] == ' ')
                *ret_reason = "must not begin or end with a space";
        else
                return true;
        return false;
}

bool kvm_network_map_is_valid(const json_t *map) {
        const char *key;
        json_t *value;

        if (!json_is_object(map) || json_object_size(map) > KVM_NETWORKS_MAX)
                return false;
        json_object_foreach((json_t *) map, key, value) {
                const char *name = json_string_value(value);
                if (strlen(key) > VM_TEXT_MAX || isempty(name) || strlen(name) > VM_TEXT_MAX ||
                                utf8_has_control(name))
                        return false;
        }
        return true;
}

bool kvm_nic_model_is_valid(const char *model) {
        static const char *const models[] = { "virtio", "e1000e", "e1000", "rtl8139", "vmxnet3" };

        for (size_t i = 0; i < ELEMENTSOF(models); i++)
                if (streq(models[i], model))
                        return true;
        return false;
}

static bool disk_is_valid(const KvmDisk *disk) {
        const char *reason;

        return disk->path && disk->format && disk->bus != VM_BUS_NVME &&
                        job_path_is_valid(disk->path, true, &reason) &&
                        (streq(disk->format, "qcow2") || streq(disk->format, "raw"));
}

static int decode_disks(KvmDomain *d, json_t *list, JsonErrors *errors) {
        json_t *entry;
        size_t i;

        if (!json_is_array(list) || json_array_size(list) < 1 || json_array_size(list) > VM_DISKS_MAX)
                return json_errors_add(errors, "disks", "must be a list of 1 to %u disks", VM_DISKS_MAX);
        d->disks = new0(KvmDisk, json_array_size(list));
        if (!d->disks)
                return -ENOMEM;
        d->n_disks = json_array_size(list);
        json_array_foreach(list, i, entry) {
                int r = json_table_decode(disk_fields, entry, "disks", &d->disks[i], errors);
                if (r >= 0 && errors->n_errors == 0 && !disk_is_valid(&d->disks[i]))
                        r = json_errors_add(errors, "disks",
                                        "must have the absolute path and the format qcow2 or raw");
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check(KvmDomain *d, JsonErrors *errors) {
        const char *reason;
        int r = 0;

        if (d->name && !kvm_name_is_valid(d->name, &reason))
                r = json_errors_add(errors, "name", "%s", reason);
        if (r >= 0 && d->network_map && !kvm_network_map_is_valid(d->network_map))
                r = json_errors_add(errors, "network_map", "must be an object of names");
        if (r >= 0 && d->disk_bus == VM_BUS_NVME)
                r = json_errors_add(errors, "disk_bus", "must be one of scsi, sata, ide, virtio");
        if (r >= 0 && d->nic_model && !kvm_nic_model_is_valid(d->nic_model))
                r = json_errors_add(errors, "nic_model", "is unknown");
        STRV_FOREACH(key, errors->unknown)
                if (r >= 0)
                        r = json_errors_add(errors, *key, "is unknown");
        return r;
}

int kvm_domain_decode(const char *text, size_t size, KvmDomain **ret, JsonErrors *errors) {
        _cleanup_kvm_domain_ KvmDomain *d = new0(KvmDomain, 1);
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *error = NULL;

        if (!d)
                return -ENOMEM;
        int r = size > KVM_DOMAIN_MAX ? -EBADMSG : json_parse_object(text, size, &object, &error);
        if (r == -EBADMSG) {
                r = json_errors_add(errors, "", "the domain is no JSON object");
                return r < 0 ? r : -EBADMSG;
        }
        if (r >= 0)
                r = json_table_decode(domain_fields, object, "", d, errors);
        if (r >= 0)
                r = decode_disks(d, json_object_get(object, "disks"), errors);
        if (r >= 0)
                r = check(d, errors);
        if (r >= 0)
                r = vm_hardware_from_json(json_object_get(object, "vm"), "vm", &d->vm, errors);
        if (r < 0)
                return r;
        if (errors->n_errors > 0)
                return -EBADMSG;
        *ret = TAKE_PTR(d);
        return 0;
}

json_t *kvm_domain_to_json(const KvmDomain *d) {
        _cleanup_json_ json_t *disks = json_array();

        for (size_t i = 0; i < d->n_disks; i++)
                if (json_array_append_new(disks,
                                    json_pack("{s:s, s:s, s:s*}", "path", d->disks[i].path, "format",
                                                    d->disks[i].format, "bus",
                                                    vm_bus_to_string(d->disks[i].bus))) < 0)
                        return NULL;
        return json_pack("{s:s, s:s, s:o, s:O, s:O*, s:s*, s:s*, s:b, s:b}", "job_id", d->job_id, "name",
                        d->name, "vm", vm_hardware_to_json(d->vm), "disks", disks, "network_map",
                        d->network_map, "disk_bus", vm_bus_to_string(d->disk_bus), "nic_model", d->nic_model,
                        "start", d->start, "headless", d->headless);
}

/* --- against a host -------------------------------------------------------------------------------- */

int kvm_connection(const KvmDomain *d, const KvmTarget *t, const char *network, KvmConnection *ret,
                const char **ret_name) {
        const char *name = json_string_value(json_object_get(d->network_map, strempty(network)));

        if (!name && strv_length(t->networks) == 1 && streq(t->networks[0], "default"))
                name = t->networks[0];
        *ret_name = name;
        if (!name)
                *ret = KVM_CONNECTED_NOT;
        else if (strv_contains(t->networks, name))
                *ret = KVM_CONNECTED_NETWORK;
        else if (strv_contains(t->bridges, name))
                *ret = KVM_CONNECTED_BRIDGE;
        else
                return -ENOENT;
        return 0;
}

#define say(ret, error, ...)                     \
        ({                                       \
                *(ret) = strprintf(__VA_ARGS__); \
                *(ret) ? -(error) : -ENOMEM;     \
        })

static int check_neighbour(const KvmDomain *d, const KvmNeighbour *n, char **ret_text) {
        if (streq(n->name, d->name))
                return say(ret_text, EEXIST,
                                "domain '%s' already exists with uuid %s: set destination.name to another "
                                "name, or "
                                "undefine that domain",
                                n->name, n->uuid);
        if (d->vm->uuid && streq(n->uuid, d->vm->uuid))
                return say(ret_text, EEXIST,
                                "the UUID %s of the source is that of domain '%s' already: set "
                                "destination.hardware.uuid to another one, or undefine that domain",
                                n->uuid, n->name);
        for (size_t i = 0; i < d->vm->n_nics; i++)
                if (d->vm->nics[i].mac && strv_contains(n->macs, d->vm->nics[i].mac))
                        return say(ret_text, EEXIST,
                                        "the MAC address %s of the source is that of domain '%s' already: "
                                        "set destination.hardware.nics to other addresses, or undefine that "
                                        "domain",
                                        d->vm->nics[i].mac, n->name);
        return 0;
}

/* "default, br0", or "none". NULL when out of memory. */
static char *list_names(char *const *first, char *const *second) {
        _cleanup_strv_free_ char **all = NULL;

        STRV_FOREACH(s, first)
                if (strv_extend(&all, *s) < 0)
                        return NULL;
        STRV_FOREACH(s, second)
                if (strv_extend(&all, *s) < 0)
                        return NULL;
        return all ? strv_join(all, ", ") : strdup("none");
}

static int refuse_network(const KvmTarget *t, const char *name, char **ret_text) {
        _cleanup_free_ char *all = list_names(t->networks, t->bridges);

        if (!all)
                return -ENOMEM;
        return say(ret_text, ENOENT,
                        "destination.network_map: libvirt has no network '%s', and there is no bridge of "
                        "that name (there are: %s)",
                        name, all);
}

static int check_networks(const KvmDomain *d, const KvmTarget *t, char **ret_text) {
        const char *key, *name;
        KvmConnection connection;
        json_t *value;

        json_object_foreach(d->network_map, key, value)
                if (kvm_connection(d, t, key, &connection, &name) < 0)
                        return refuse_network(t, name, ret_text);
        for (size_t i = 0; i < d->vm->n_nics && d->start; i++)
                if (kvm_connection(d, t, d->vm->nics[i].network, &connection, &name) >= 0 &&
                                connection == KVM_CONNECTED_NETWORK && strv_contains(t->inactive, name))
                        return say(ret_text, ENOENT,
                                        "the network '%s' of libvirt, which NIC %zu is connected to, is not "
                                        "active: start it (virsh net-start), or set destination.start to "
                                        "false",
                                        name, i + 1);
        return 0;
}

static bool has_volume(const KvmTarget *t, const char *name) {
        json_t *value;
        size_t i;

        json_array_foreach(t->volumes, i, value) {
                const char *s = json_string_value(value);
                if (s && streq(s, name))
                        return true;
        }
        return false;
}

const char *kvm_volume_name(const KvmDisk *disk) {
        const char *slash = strrchr(disk->path, '/');

        return slash ? slash + 1 : disk->path;
}

static int check_volumes(const KvmDomain *d, const KvmTarget *t, char **ret_text) {
        for (size_t i = 0; i < d->n_disks; i++) {
                const char *name = kvm_volume_name(&d->disks[i]);

                if (has_volume(t, name))
                        return say(ret_text, EEXIST,
                                        "the storage pool '%s' has a volume '%s' already, which is not "
                                        "overwritten: set destination.name to another name, or delete the "
                                        "volume",
                                        d->pool, name);
        }
        return 0;
}

/* Those whose volumes are files that hold what was written into them. */
static bool pool_has_files(const char *type) {
        return streq(type, "dir") || streq(type, "fs") || streq(type, "netfs");
}

int kvm_pool_check(const char *pool, const KvmTarget *t, char **ret_text) {
        if (!t->pool) {
                _cleanup_free_ char *all = list_names(t->pools, NULL);
                return all ? say(ret_text, ENOENT, "libvirt has no storage pool '%s' (there are: %s)", pool,
                                             all)
                           : -ENOMEM;
        }
        if (!t->pool_type || !pool_has_files(t->pool_type))
                return say(ret_text, EOPNOTSUPP,
                                "the storage pool '%s' has the type %s, and must have the type dir, fs or "
                                "netfs",
                                pool, strna(t->pool_type));
        if (!t->pool_active)
                return say(ret_text, ENOENT,
                                "the storage pool '%s' is not active: start it (virsh pool-start)", pool);
        return 0;
}

static int check_pool(const KvmDomain *d, const KvmTarget *t, char **ret_text) {
        if (!d->pool)
                return 0;
        int r = kvm_pool_check(d->pool, t, ret_text);
        return r < 0 ? r : check_volumes(d, t, ret_text);
}

int kvm_domain_check(const KvmDomain *d, const KvmTarget *t, char **ret_text) {
        int r = 0;

        for (size_t i = 0; i < t->n_domains && r >= 0; i++)
                r = check_neighbour(d, &t->domains[i], ret_text);
        if (r >= 0)
                r = check_networks(d, t, ret_text);
        if (r >= 0)
                r = check_pool(d, t, ret_text);
        if (r < 0)
                return r;
        if (d->vm->firmware == VM_FIRMWARE_EFI && !t->efi)
                return say(ret_text, EOPNOTSUPP,
                                "the source has UEFI firmware, and libvirt finds none on this host: install "
                                "the package ovmf");
        if (d->vm->secure_boot && !t->secure_boot)
                return say(ret_text, EOPNOTSUPP,
                                "the source uses secure boot, and libvirt finds no firmware for it on this "
                                "host: install the package ovmf");
        return 0;
}

int kvm_domain_use_guest(KvmDomain *d, const json_t *guest) {
        const json_t *hardware = json_object_get(guest, "hardware");
        const char *bus = json_string_value(json_object_get(hardware, "disk_bus")),
                   *nic = json_string_value(json_object_get(hardware, "nic_model"));
        VmBus found = bus ? vm_bus_from_string(bus) : VM_BUS_UNKNOWN;

        if (d->disk_bus == VM_BUS_UNKNOWN &&
                        (found == VM_BUS_SATA ||
                                        (found == VM_BUS_VIRTIO && d->n_disks <= KVM_VIRTIO_DISKS_MAX)))
                d->disk_bus = found;
        if (d->nic_model || !nic || !kvm_nic_model_is_valid(nic))
                return 0;
        d->nic_model = strdup(nic);
        return d->nic_model ? 0 : -ENOMEM;
}
