/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphere/vm-summary.h"

#include "basic/string-util.h"
#include "vsphere/inventory-name.h"

#define MEBIBYTE ((uint64_t) 1 << 20)

static const char *const power_names[_VM_POWER_MAX] = {
        [VM_POWERED_OFF] = "poweredOff",
        [VM_POWERED_ON] = "poweredOn",
        [VM_SUSPENDED] = "suspended",
};

const char *vm_power_to_string(VmPower p) {
        return p >= 0 && p < _VM_POWER_MAX ? power_names[p] : NULL;
}

VmPower vm_power_from_string(const char *s) {
        for (VmPower p = 0; p < _VM_POWER_MAX; p++)
                if (streq(power_names[p], s))
                        return p;
        return _VM_POWER_INVALID;
}

void vm_summary_done(VmSummary *v) {
        free(v->id);
        free(v->name);
        free(v->path);
        free(v->datacenter);
        free(v->uuid);
        free(v->instance_uuid);
        free(v->guest_id);
        free(v->guest_name);
        free(v->host_name);
        free(v->ip_address);
        free(v->tools_status);
        *v = (VmSummary){};
}

static const struct {
        const char *property;
        size_t offset;
} strings[] = {
        { "summary.config.uuid", offsetof(VmSummary, uuid) },
        { "summary.config.instanceUuid", offsetof(VmSummary, instance_uuid) },
        { "summary.config.guestId", offsetof(VmSummary, guest_id) },
        { "summary.config.guestFullName", offsetof(VmSummary, guest_name) },
        { "guest.hostName", offsetof(VmSummary, host_name) },
        { "guest.ipAddress", offsetof(VmSummary, ip_address) },
        { "guest.toolsRunningStatus", offsetof(VmSummary, tools_status) },
};

const char *const vm_summary_properties[] = {
        "name",
        "parent",
        "parentVApp",
        "summary.config.uuid",
        "summary.config.instanceUuid",
        "summary.config.guestId",
        "summary.config.guestFullName",
        "summary.config.template",
        "summary.config.numCpu",
        "summary.config.memorySizeMB",
        "summary.config.numVirtualDisks",
        "summary.storage.committed",
        "guest.hostName",
        "guest.ipAddress",
        "guest.toolsRunningStatus",
        "runtime.powerState",
        "runtime.consolidationNeeded",
        NULL,
};

static int read_name(PropertyObject o, VmSummary *v) {
        const char *id = property_object_id(o), *name = node_text(property_value(o, "name"));

        if (!*id || !*name)
                return -EBADMSG;
        v->id = strdup(id);
        v->name = inventory_name_decode(name);
        return v->id && v->name ? 0 : -ENOMEM;
}

static uint64_t read_memory(PropertyObject o) {
        uint64_t megabytes = node_number(property_value(o, "summary.config.memorySizeMB"));

        return megabytes <= UINT64_MAX / MEBIBYTE ? megabytes * MEBIBYTE : 0;
}

int vm_summary_read(PropertyObject o, VmSummary *ret) {
        _cleanup_vm_summary_ VmSummary v = {};
        int r = read_name(o, &v);

        for (size_t i = 0; i < ELEMENTSOF(strings) && r >= 0; i++)
                r = node_dup(property_value(o, strings[i].property),
                                (char **) ((char *) &v + strings[i].offset));
        if (r < 0)
                return r;
        v.power = vm_power_from_string(node_text(property_value(o, "runtime.powerState")));
        v.cpus = (uint32_t) node_number(property_value(o, "summary.config.numCpu"));
        v.memory = read_memory(o);
        v.storage = node_number(property_value(o, "summary.storage.committed"));
        v.disks = (uint32_t) node_number(property_value(o, "summary.config.numVirtualDisks"));
        v.is_template = node_bool(property_value(o, "summary.config.template"));
        v.consolidation_needed = node_bool(property_value(o, "runtime.consolidationNeeded"));
        *ret = v;
        v = (VmSummary){};
        return 0;
}
