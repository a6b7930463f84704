/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-vm.h"

#include <strings.h>

#include "api/job-json.h"
#include "basic/string-util.h"
#include "json/json-table.h"

static const char *const oses[] = { "linux", "other", "windows" };
static const char *const powers[] = { "poweredOff", "poweredOn", "suspended" };
static const char *const statuses[] = { "stopped", "running", "suspended" };
static const char *const types[] = { "libvirt", "local", "nbd", "vsphere" };

static const char *word(const char *const *words, int n, int i) {
        return i >= 0 && i < n ? words[i] : NULL;
}

static int find_word(const char *const *words, int n, const char *s) {
        for (int i = 0; i < n; i++)
                if (streq(words[i], s))
                        return i;
        return -EINVAL;
}

const char *v1_os_to_string(int os) {
        return word(oses, _V1_OS_MAX, os);
}

int v1_os_from_string(const char *s) {
        return find_word(oses, _V1_OS_MAX, s);
}

const char *v1_power_to_string(int power) {
        return word(powers, _V1_POWER_MAX, power);
}

int v1_power_from_status(const char *s) {
        int power = find_word(statuses, _V1_POWER_MAX, s);

        return power >= 0 ? power : find_word(powers, _V1_POWER_MAX, s);
}

const char *v1_provider_type_to_string(int type) {
        return word(types, _V1_PROVIDER_MAX, type);
}

int v1_provider_type_from_string(const char *s) {
        return find_word(types, _V1_PROVIDER_MAX, s);
}

void v1_vm_done(V1Vm *vm) {
        free(vm->id);
        free(vm->name);
        free(vm->path);
        free(vm->uuid);
        free(vm->instance_uuid);
        free(vm->os_version);
        free(vm->ip);
        free(vm->annotation);
        *vm = (V1Vm){};
}

/* --- from others ----------------------------------------------------------------------------------- */

/* "rhel8_64Guest", "windows2019srv_64Guest", "winNetEnterpriseGuest" of vSphere; the ID of an operating
 * system of libosinfo before its slash. */
static int os_from_id(const char *id) {
        static const char *const linuxes[] = { "linux", "alma", "amazon", "asianux", "centos", "coreos",
                "cos", "crx", "debian", "fedora", "mandr", "oracle", "photon", "redhat", "rhel", "rocky",
                "sles", "suse", "opensuse", "ubuntu", "vmware-photon", "alpine", "arch", "gentoo",
                "other24xLinux", "other26xLinux", "other3xLinux", "other4xLinux", "other5xLinux",
                "other6xLinux", "otherLinux", "genericLinux", "turboLinux", "sjds", "nld", "oes" };

        if (isempty(id))
                return _V1_OS_INVALID;
        if (strncasecmp(id, "win", 3) == 0 || strncasecmp(id, "microsoft", 9) == 0)
                return V1_OS_WINDOWS;
        for (size_t i = 0; i < ELEMENTSOF(linuxes); i++)
                if (strncasecmp(id, linuxes[i], strlen(linuxes[i])) == 0)
                        return V1_OS_LINUX;
        return V1_OS_OTHER;
}

static const char *member(const json_t *o, const char *key) {
        return json_string_value(json_object_get(o, key));
}

static int copy(const json_t *o, const char *key, char **ret) {
        const char *text = member(o, key);

        return isempty(text) ? 0 : free_and_strdup(ret, text);
}

static uint64_t number(const json_t *o, const char *key, uint64_t max) {
        json_int_t n = json_integer_value(json_object_get(o, key));

        return n < 0 ? 0 : MIN((uint64_t) n, max);
}

static const char *tools_word(const char *status) {
        if (isempty(status))
                return NULL;
        return streq(status, "guestToolsNotRunning") ? "not_running" : "running";
}

int v1_vm_from_vsphere(const json_t *o, usec_t seen, V1Vm *ret) {
        const char *power = member(o, "power_state");
        _cleanup_v1_vm_ V1Vm vm = {
                .os = os_from_id(member(o, "guest_id")),
                .power = power ? find_word(powers, _V1_POWER_MAX, power) : _V1_POWER_INVALID,
                .tools = tools_word(member(o, "tools_status")),
                .cpu = (unsigned) number(o, "num_cpu", UINT32_MAX),
                .memory_mb = number(o, "memory_mb", INT64_MAX),
                .last_seen = seen,
        };
        const struct {
                const char *key;
                char **to;
        } texts[] = { { "id", &vm.id }, { "name", &vm.name }, { "path", &vm.path }, { "uuid", &vm.uuid },
                { "instance_uuid", &vm.instance_uuid }, { "guest_os", &vm.os_version },
                { "ip_address", &vm.ip }, { "annotation", &vm.annotation } };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (copy(o, texts[i].key, texts[i].to) < 0)
                        return -ENOMEM;
        if (!vm.id || !vm.name)
                return -EBADMSG;
        *ret = vm;
        vm = (V1Vm){};
        return 0;
}

static int power_of_state(int state) {
        const char *s = vm_state_to_string(state);

        if (streq(s, "ACTIVE") || streq(s, "PAUSED"))
                return V1_POWERED_ON;
        return streq(s, "SUSPENDED")          ? V1_SUSPENDED
                        : streq(s, "UNKNOWN") ? _V1_POWER_INVALID
                                              : V1_POWERED_OFF;
}

int v1_vm_from_libvirt(const VmRow *row, const char *host, usec_t seen, V1Vm *ret) {
        bool is_named = row->os_type && strchr(row->os_type, '/'); /* else it is "hvm" */
        _cleanup_v1_vm_ V1Vm vm = {
                .id = strdup(row->uuid),
                .name = strdup(row->name),
                .path = strprintf("%s/%s", host, row->name),
                .uuid = strdup(row->uuid),
                .os_version = is_named ? strdup(row->os_type) : NULL,
                .annotation = isempty(row->description) ? NULL : strdup(row->description),
                .os = is_named ? os_from_id(row->os_type) : _V1_OS_INVALID,
                .power = power_of_state(row->state),
                .cpu = row->vcpu_count,
                .memory_mb = row->memory_bytes >> 20,
                .last_seen = seen,
        };

        if (!vm.id || !vm.name || !vm.path || !vm.uuid || (is_named && !vm.os_version))
                return -ENOMEM;
        *ret = vm;
        vm = (V1Vm){};
        return 0;
}

/* --- what clients get ------------------------------------------------------------------------------ */

static json_t *ip_addresses(const V1Vm *vm) {
        return vm->ip ? json_pack("[o]", json_text(vm->ip)) : json_array();
}

/* 0 is "unknown". */
static json_t *count_or_null(uint64_t n) {
        return n > 0 ? json_count(n) : json_null();
}

json_t *v1_vm_json(const V1Vm *vm, V1ProviderType type, const char *provider_id) {
        _cleanup_json_ json_t *o = json_pack("{s:o, s:s, s:s, s:o, s:o, s:s?, s:o, s:o, s:o, s:[], s:[]}",
                        "name", json_text(vm->name), "provider", v1_provider_type_to_string(type),
                        "provider_id", provider_id, "id", json_text(vm->id), "path", json_text(vm->path),
                        "os", v1_os_to_string(vm->os), "os_version", json_text(vm->os_version), "cpu",
                        count_or_null(vm->cpu), "memory_mb", count_or_null(vm->memory_mb), "disks", "nics");
        json_t *more = json_pack("{s:s?, s:s?, s:s?, s:o, s:o, s:o, s:n, s:n, s:n}", "power_state",
                        v1_power_to_string(vm->power), "status", word(statuses, _V1_POWER_MAX, vm->power),
                        "tools_status", vm->tools, "uuid", json_text(vm->uuid), "ip_addresses",
                        ip_addresses(vm), "last_seen", json_time(vm->last_seen), "firmware",
                        "snapshot_count", "cbt_enabled");

        if (!o || !more) {
                json_decref(more);
                return NULL;
        }
        return json_object_update_new(o, more) < 0 ? NULL : TAKE_PTR(o);
}

bool v1_vm_is_called(const V1Vm *vm, const char *what) {
        const char *path = vm->path && vm->path[0] == '/' ? vm->path + 1 : vm->path;

        return streq_ptr(vm->name, what) || streq_ptr(vm->id, what) ||
                        streq_ptr(path, what[0] == '/' ? what + 1 : what) ||
                        (vm->uuid && strcasecmp(vm->uuid, what) == 0) ||
                        (vm->instance_uuid && strcasecmp(vm->instance_uuid, what) == 0);
}

static const SchemaField disk_fields[] = {
        { "name", SCHEMA_STRING, .description = "\"disk-0\"" },
        { "size_gb", SCHEMA_INTEGER, SCHEMA_NULLABLE, "In GiB, rounded up." },
        { "size_bytes", SCHEMA_INTEGER, SCHEMA_NULLABLE },
        { "format", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "thin_provisioned", SCHEMA_BOOLEAN, SCHEMA_NULLABLE },
        {},
};
static const Schema disk_schema = { .name = "VMDisk", .fields = disk_fields };

static const SchemaField nic_fields[] = {
        { "name", SCHEMA_STRING, .description = "\"nic-0\"" },
        { "type", SCHEMA_STRING, SCHEMA_NULLABLE, "Its model: vmxnet3, virtio" },
        { "network", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "mac", SCHEMA_STRING, SCHEMA_NULLABLE },
        {},
};
static const Schema nic_schema = { .name = "VMNic", .fields = nic_fields };

static const SchemaField vm_fields[] = {
        { "name", SCHEMA_STRING },
        { "id", SCHEMA_STRING, .description = "That of the provider." },
        { "path", SCHEMA_STRING, SCHEMA_NULLABLE, "In the inventory of the provider." },
        { "uuid", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "provider", SCHEMA_STRING, .description = "vsphere or libvirt" },
        { "provider_id", SCHEMA_STRING },
        { "os", SCHEMA_STRING, SCHEMA_NULLABLE, "linux, windows or other" },
        { "os_version", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "cpu", SCHEMA_INTEGER, SCHEMA_NULLABLE },
        { "memory_mb", SCHEMA_INTEGER, SCHEMA_NULLABLE },
        { "disks", SCHEMA_ARRAY, .schema = &disk_schema },
        { "nics", SCHEMA_ARRAY, .schema = &nic_schema },
        { "firmware", SCHEMA_STRING, SCHEMA_NULLABLE, "bios or efi" },
        { "power_state", SCHEMA_STRING, SCHEMA_NULLABLE, "poweredOn, poweredOff or suspended" },
        { "status", SCHEMA_STRING, SCHEMA_NULLABLE, "running, stopped or suspended" },
        { "tools_status", SCHEMA_STRING, SCHEMA_NULLABLE, "running or not_running" },
        { "ip_addresses", SCHEMA_ARRAY_ANY },
        { "snapshot_count", SCHEMA_INTEGER, SCHEMA_NULLABLE },
        { "cbt_enabled", SCHEMA_BOOLEAN, SCHEMA_NULLABLE },
        { "last_seen", SCHEMA_TIMESTAMP },
        {},
};
const Schema v1_vm_schema = { .name = "VM", .fields = vm_fields };
