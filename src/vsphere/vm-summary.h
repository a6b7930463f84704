/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What lists show of a virtual machine. */

#include "vsphere/property.h"

typedef enum VmPower {
        VM_POWERED_OFF,
        VM_POWERED_ON,
        VM_SUSPENDED,
        _VM_POWER_MAX,
        _VM_POWER_INVALID = -EINVAL,
} VmPower;

/* "poweredOff", "poweredOn", "suspended" */
const char *vm_power_to_string(VmPower p);
VmPower vm_power_from_string(const char *s);

/* Strings may be NULL if the server does not know them. */
typedef struct VmSummary {
        char *id; /* "vm-42", valid for this server */
        char *name; /* decoded */
        char *path; /* inventory path, see inventory.h */
        char *datacenter; /* its name, decoded */
        char *uuid, *instance_uuid;
        char *guest_id; /* "rhel8_64Guest" */
        char *guest_name; /* "Red Hat Enterprise Linux 8 (64-bit)" */
        char *host_name, *ip_address; /* of the guest, from its tools */
        char *tools_status; /* "guestToolsRunning", "guestToolsNotRunning" */
        VmPower power; /* _VM_POWER_INVALID if it is not known */
        uint32_t cpus;
        uint64_t memory; /* bytes */
        uint64_t storage; /* bytes that its files occupy */
        uint32_t disks;
        bool is_template;
        bool consolidation_needed;
} VmSummary;

void vm_summary_done(VmSummary *v);
#define _cleanup_vm_summary_ _cleanup_(vm_summary_done)

/* The properties that vm_summary_read() decodes, NULL at their end */
extern const char *const vm_summary_properties[];
/* All but path and datacenter. 0, -EBADMSG if there is no ID or no name, or -ENOMEM. */
int vm_summary_read(PropertyObject o, VmSummary *ret);
