/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/vm-json.h"

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "spec/vm-value.h"

/* --- from JSON ------------------------------------------------------------------------------------- */

static int firmware_from_string(const char *s) {
        return vm_firmware_from_string(s);
}

static int bus_from_string(const char *s) {
        return vm_bus_from_string(s);
}

static const JsonField hardware_fields[] = {
        { "name", JSON_FIELD_STRING, offsetof(VmHardware, name), .flags = JSON_NONEMPTY,
                        .max = VM_TEXT_MAX },
        { "uuid", JSON_FIELD_STRING, offsetof(VmHardware, uuid), .max = VM_UUID_SIZE - 1 },
        { "guest_os", JSON_FIELD_STRING, offsetof(VmHardware, guest_os), .flags = JSON_NONEMPTY,
                        .max = VM_WORD_MAX },
        { "firmware", JSON_FIELD_ENUM, offsetof(VmHardware, firmware), .from_string = firmware_from_string,
                        .expected = "bios, efi" },
        { "secure_boot", JSON_FIELD_BOOLEAN, offsetof(VmHardware, secure_boot) },
        { "tpm", JSON_FIELD_BOOLEAN, offsetof(VmHardware, tpm) },
        { "cpus", JSON_FIELD_UNSIGNED, offsetof(VmHardware, cpus), .min = 1, .max = VM_CPUS_MAX },
        { "cores_per_socket", JSON_FIELD_UNSIGNED, offsetof(VmHardware, cores_per_socket), .min = 1,
                        .max = VM_CPUS_MAX },
        { "memory", JSON_FIELD_UINT64, offsetof(VmHardware, memory), .min = VM_MEMORY_MIN,
                        .max = VM_MEMORY_MAX },
        { "disks", JSON_FIELD_KNOWN, 0 },
        { "nics", JSON_FIELD_KNOWN, 0 },
        {},
};

static const JsonField disk_fields[] = {
        { "id", JSON_FIELD_STRING, offsetof(HardwareDisk, id), .flags = JSON_NONEMPTY, .max = VM_TEXT_MAX },
        { "bus", JSON_FIELD_ENUM, offsetof(HardwareDisk, bus), .from_string = bus_from_string,
                        .expected = "scsi, sata, ide, nvme, virtio" },
        { "model", JSON_FIELD_STRING, offsetof(HardwareDisk, model), .flags = JSON_NONEMPTY,
                        .max = VM_WORD_MAX },
        { "controller", JSON_FIELD_UNSIGNED, offsetof(HardwareDisk, controller), .max = VM_DISKS_MAX },
        { "unit", JSON_FIELD_UNSIGNED, offsetof(HardwareDisk, unit), .max = 65535 },
        { "capacity", JSON_FIELD_UINT64, offsetof(HardwareDisk, capacity), .min = 1 },
        { "serial", JSON_FIELD_STRING, offsetof(HardwareDisk, serial), .flags = JSON_NONEMPTY,
                        .max = VM_WORD_MAX },
        { "boot_order", JSON_FIELD_UNSIGNED, offsetof(HardwareDisk, boot_order), .min = 1,
                        .max = VM_DISKS_MAX },
        {},
};

typedef struct NicDocument {
        HardwareNic nic;
        bool connected;
} NicDocument;

static const JsonField nic_fields[] = {
        { "mac", JSON_FIELD_STRING, offsetof(NicDocument, nic.mac), .max = VM_MAC_SIZE - 1 },
        { "model", JSON_FIELD_STRING, offsetof(NicDocument, nic.model), .flags = JSON_NONEMPTY,
                        .max = VM_WORD_MAX },
        { "network", JSON_FIELD_STRING, offsetof(NicDocument, nic.network), .flags = JSON_NONEMPTY,
                        .max = VM_TEXT_MAX },
        { "slot", JSON_FIELD_UNSIGNED, offsetof(NicDocument, nic.slot), .max = VM_SLOT_MAX },
        { "connected", JSON_FIELD_BOOLEAN, offsetof(NicDocument, connected) },
        {},
};

typedef struct Check {
        const char *path; /* of the object */
        JsonErrors *errors;
} Check;

static int wrong(const Check *c, const char *key, const char *text) {
        _cleanup_free_ char *field = isempty(c->path) ? strdup(key) : strprintf("%s.%s", c->path, key);

        return field ? json_errors_add(c->errors, field, "%s", text) : -ENOMEM;
}

static int check_text(const Check *c, const char *key, const char *value) {
        return value && utf8_has_control(value) ? wrong(c, key, "must not have control characters") : 0;
}

static int check_word(const Check *c, const char *key, const char *value) {
        return value && !vm_is_word(value)
                        ? wrong(c, key, "must only have the characters a-z, 0-9, \".\", \"_\" and \"-\"")
                        : 0;
}

static int check_disk(const Check *c, const HardwareDisk *d) {
        int r = check_text(c, "id", d->id);

        if (r >= 0)
                r = check_word(c, "model", d->model);
        return r < 0 ? r : check_text(c, "serial", d->serial);
}

static int check_nic(const Check *c, HardwareNic *n) {
        char mac[VM_MAC_SIZE];
        int r = check_word(c, "model", n->model);

        if (r >= 0)
                r = check_text(c, "network", n->network);
        if (r < 0 || !n->mac)
                return r;
        if (vm_mac_normalize(n->mac, mac) < 0)
                return wrong(c, "mac", "must be the MAC address of one device, such as 00:50:56:aa:bb:cc");
        return free_and_strdup(&n->mac, mac);
}

static int check_hardware(const Check *c, VmHardware *vm) {
        char uuid[VM_UUID_SIZE];
        int r = check_text(c, "name", vm->name);

        if (r >= 0)
                r = check_text(c, "guest_os", vm->guest_os);
        if (r >= 0 && vm->secure_boot && vm->firmware != VM_FIRMWARE_EFI)
                r = wrong(c, "secure_boot", "requires the firmware \"efi\"");
        if (r >= 0 && vm->cores_per_socket > 0 && vm->cpus % vm->cores_per_socket != 0)
                r = wrong(c, "cores_per_socket", "must divide cpus");
        if (r >= 0 && vm->cores_per_socket > 0 && vm->cpus == 0)
                r = wrong(c, "cores_per_socket", "requires cpus");
        if (r < 0 || !vm->uuid)
                return r;
        if (vm_uuid_normalize(vm->uuid, uuid) < 0)
                return wrong(c, "uuid", "must be a UUID");
        return free_and_strdup(&vm->uuid, uuid);
}

static int decode_disk(VmHardware *vm, json_t *object, const Check *c) {
        HardwareDisk *d = vm_hardware_add_disk(vm);
        int r = d ? json_table_decode(disk_fields, object, c->path, d, c->errors) : -errno;

        return r < 0 ? r : check_disk(c, d);
}

static int decode_nic(VmHardware *vm, json_t *object, const Check *c) {
        NicDocument n = { .connected = true };
        HardwareNic *nic = vm_hardware_add_nic(vm);
        int r = nic ? json_table_decode(nic_fields, object, c->path, &n, c->errors) : -errno;

        if (nic) {
                *nic = n.nic;
                nic->disconnected = !n.connected;
        }
        return r < 0 ? r : check_nic(c, nic);
}

typedef int (*decode_entry_t)(VmHardware *vm, json_t *object, const Check *c);

static int decode_list(VmHardware *vm, json_t *list, const Check *c, const char *key, size_t max,
                decode_entry_t f) {
        json_t *entry;
        size_t i;

        if (!list)
                return 0;
        if (!json_is_array(list))
                return wrong(c, key, "must be a list");
        if (json_array_size(list) > max)
                return wrong(c, key, "has too many entries");
        json_array_foreach(list, i, entry) {
                _cleanup_free_ char *path =
                                strprintf("%s%s%s[%zu]", c->path, isempty(c->path) ? "" : ".", key, i);
                const Check entry_check = { .path = path, .errors = c->errors };
                int r = path ? f(vm, entry, &entry_check) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        return 0;
}

static int decode(json_t *object, VmHardware *vm, JsonErrors *errors) {
        const Check c = { .path = "", .errors = errors };
        int r = json_table_decode(hardware_fields, object, "", vm, errors);

        if (r >= 0)
                r = check_hardware(&c, vm);
        if (r >= 0)
                r = decode_list(vm, json_object_get(object, "disks"), &c, "disks", VM_DISKS_MAX,
                                decode_disk);
        if (r >= 0)
                r = decode_list(vm, json_object_get(object, "nics"), &c, "nics", VM_NICS_MAX, decode_nic);
        STRV_FOREACH(key, errors->unknown)
                if (r >= 0)
                        r = json_errors_add(errors, *key, "is unknown");
        return r;
}

int vm_hardware_from_json(json_t *object, const char *path, VmHardware **ret, JsonErrors *errors) {
        _cleanup_(json_errors_done) JsonErrors found = {};
        _cleanup_vm_ VmHardware *vm = vm_hardware_new();
        int r = vm ? decode(object, vm, &found) : -ENOMEM;

        if (r < 0)
                return r;
        if (found.n_errors > 0) {
                r = json_errors_adopt(errors, path, &found);
                return r < 0 ? r : -EBADMSG;
        }
        *ret = TAKE_PTR(vm);
        return 0;
}

int vm_hardware_merge(const json_t *source, const json_t *given, VmHardware **ret) {
        _cleanup_json_ json_t *merged = source ? json_copy((json_t *) source) : json_object();
        _cleanup_(json_errors_done) JsonErrors errors = {};

        if (!merged || (given && json_object_update(merged, (json_t *) given) < 0))
                return -ENOMEM;
        /* What goes with the source's value only. */
        if (json_object_get(given, "cpus") && !json_object_get(given, "cores_per_socket"))
                (void) json_object_del(merged, "cores_per_socket");
        if (json_object_get(given, "firmware") && !json_object_get(given, "secure_boot"))
                (void) json_object_del(merged, "secure_boot");
        return vm_hardware_from_json(merged, "", ret, &errors);
}

/* --- to JSON --------------------------------------------------------------------------------------- */

static bool set_text(json_t *object, const char *key, const char *value) {
        return !value || json_object_set_new(object, key, json_string(value)) == 0;
}

/* 0 is "unknown" */
static bool set_number(json_t *object, const char *key, uint64_t value) {
        return value == 0 || json_object_set_new(object, key, json_integer((json_int_t) value)) == 0;
}

static bool set_true(json_t *object, const char *key, bool value) {
        return !value || json_object_set_new(object, key, json_true()) == 0;
}

static json_t *disk_to_json(const HardwareDisk *d) {
        _cleanup_json_ json_t *object = json_object();

        if (!object || !set_text(object, "id", d->id) ||
                        !set_text(object, "bus", vm_bus_to_string(d->bus)) ||
                        !set_text(object, "model", d->model) ||
                        json_object_set_new(object, "controller", json_integer(d->controller)) < 0 ||
                        json_object_set_new(object, "unit", json_integer(d->unit)) < 0 ||
                        !set_number(object, "capacity", d->capacity) ||
                        !set_text(object, "serial", d->serial) ||
                        !set_number(object, "boot_order", d->boot_order))
                return NULL;
        return TAKE_PTR(object);
}

static json_t *nic_to_json(const HardwareNic *n) {
        _cleanup_json_ json_t *object = json_object();

        if (!object || !set_text(object, "mac", n->mac) || !set_text(object, "model", n->model) ||
                        !set_text(object, "network", n->network) || !set_number(object, "slot", n->slot) ||
                        json_object_set_new(object, "connected", json_boolean(!n->disconnected)) < 0)
                return NULL;
        return TAKE_PTR(object);
}

json_t *vm_hardware_to_json(const VmHardware *vm) {
        _cleanup_json_ json_t *object = json_object(), *disks = json_array(), *nics = json_array();

        if (!object || !disks || !nics || !set_text(object, "name", vm->name) ||
                        !set_text(object, "uuid", vm->uuid) || !set_text(object, "guest_os", vm->guest_os) ||
                        !set_text(object, "firmware", vm_firmware_to_string(vm->firmware)) ||
                        !set_true(object, "secure_boot", vm->secure_boot) ||
                        !set_true(object, "tpm", vm->tpm) || !set_number(object, "cpus", vm->cpus) ||
                        !set_number(object, "cores_per_socket", vm->cores_per_socket) ||
                        !set_number(object, "memory", vm->memory))
                return NULL;
        for (size_t i = 0; i < vm->n_disks; i++)
                if (json_array_append_new(disks, disk_to_json(&vm->disks[i])) < 0)
                        return NULL;
        for (size_t i = 0; i < vm->n_nics; i++)
                if (json_array_append_new(nics, nic_to_json(&vm->nics[i])) < 0)
                        return NULL;
        if (json_object_set(object, "disks", disks) < 0 || json_object_set(object, "nics", nics) < 0)
                return NULL;
        return TAKE_PTR(object);
}
