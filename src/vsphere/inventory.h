/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Virtual machines in the inventory. Inventory paths are "/DATACENTER/vm/DIRECTORY/NAME". In names, "/", "%" and
 * "\" are written "%2f", "%25" and "%5c", as the server does; other characters are written as they are. */

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

/* What lists show. Strings may be NULL if the server does not know them. */
typedef struct VmSummary {
        char *id; /* "vm-42", valid for this server */
        char *name; /* decoded */
        char *path; /* inventory path, encoded */
        char *datacenter; /* its name, decoded */
        char *uuid, *instance_uuid;
        char *guest_id; /* "rhel8_64Guest" */
        char *guest_name; /* "Red Hat Enterprise Linux 8 (64-bit)" */
        char *host_name, *ip_address; /* of the guest, from its tools */
        char *tools_status; /* "guestToolsRunning", "guestToolsNotRunning" */
        char *config_path; /* "[DATASTORE] DIRECTORY/NAME.vmx" */
        VmPower power;
        uint32_t cpus;
        uint64_t memory; /* bytes */
        uint64_t storage; /* bytes that its files occupy */
        uint32_t disks;
        bool is_template;
} VmSummary;

void vm_summary_done(VmSummary *v);
#define _cleanup_vm_summary_ _cleanup_(vm_summary_done)

/* Called for each VM; @v may be changed, and strings taken out of it. 0, 1 or negative errno as in property.h */
typedef int (*inventory_func)(VmSummary *v, void *userdata);

/* All VMs, in the order of the server. Blocks. Needs less than 64 MiB for 10,000 VMs besides what @func
 * keeps. */
int inventory_list(Session *s, inventory_func func, void *userdata);

/* Finds one VM. Blocks. @name is
 *   "/…"           an inventory path. The part "/vm" may be left out of it
 *   a UUID         instanceUuid, or the one in the BIOS
 *   "a/b"          a path below the directory of the datacenter's VMs; needs @datacenter if there are several
 *   anything else  a name, which only one VM may have (in @datacenter)
 * @datacenter is a name or a path, or NULL. -ENOENT: no such VM, -ENOTUNIQ: several; the text lists them. The
 * ID is the caller's to free. */
int inventory_find(Session *s, const char *datacenter, const char *name, char **ret_id);

/* "a/b" for "a%2fb" and back. NULL when out of memory. What is no valid escape stays as it is. */
char *inventory_name_decode(const char *name);
char *inventory_name_encode(const char *name);
