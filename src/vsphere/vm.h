/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One virtual machine: its hardware and its power. */

#include "vsphere/inventory.h"

/* How a disk's or a CD-ROM's controller is known in the API: the type of the device. */
typedef struct VmController {
        uint32_t key;
        uint32_t bus; /* busNumber */
        char *type; /* "ParaVirtualSCSIController", "VirtualAHCIController", "VirtualNVMEController", … */
} VmController;

typedef struct VmDisk {
        uint32_t key; /* 2000, …: what leases and changed areas name it by */
        char *label; /* "Hard disk 1" */
        uint32_t controller; /* the key of its controller */
        uint32_t unit;
        uint64_t capacity; /* bytes */
        char *backing; /* the type of its backing, "VirtualDiskFlatVer2BackingInfo" */
        char *file; /* "[DATASTORE] DIRECTORY/NAME.vmdk": the newest link of the chain */
        char *base_file; /* the first link; the same as @file without snapshots */
        char *uuid; /* or NULL */
        char *change_id; /* or NULL: not tracked */
        char *content_id; /* or NULL: changes when the VM writes to it after it was started */
        char *mode; /* "persistent", "independent_persistent", … */
        unsigned links; /* files in its chain: 1 without snapshots */
        bool thin;
        bool rdm, rdm_physical; /* raw device mapping */
        bool shared; /* multi-writer */
} VmDisk;

typedef struct VmNic {
        uint32_t key;
        char *label;
        char *type; /* "VirtualVmxnet3", "VirtualE1000e", … */
        char *mac;
        char *network; /* name of the network or of the distributed port group, or NULL */
        bool connected; /* at power-on */
} VmNic;

typedef struct VmCdrom {
        uint32_t key, controller, unit;
        char *label;
        char *file; /* an ISO image, or NULL */
        bool connected;
} VmCdrom;

typedef struct VmDetail {
        VmSummary summary;
        char *firmware; /* "bios" or "efi" */
        char *hardware_version; /* "vmx-19" */
        char *annotation;
        char *host; /* name of the host that it is on, or NULL */
        char *modified; /* config.modified as the server writes it: changes with each reconfiguration */
        char *boot_time; /* or NULL if it is off */
        char *datacenter_path; /* for /folder: "DIRECTORY/DATACENTER" */
        uint32_t cores_per_socket;
        bool secure_boot, tpm;
        bool change_tracking, change_tracking_supported;
        bool consolidation_needed;
        bool has_snapshots;
        VmController *controllers;
        VmDisk *disks; /* in the order of the server */
        VmNic *nics;
        VmCdrom *cdroms;
        size_t n_controllers, n_disks, n_nics, n_cdroms;
} VmDetail;

void vm_detail_done(VmDetail *d);
#define _cleanup_vm_detail_ _cleanup_(vm_detail_done)

/* All of the following block. @id is VmSummary.id. -ENOENT: there is no such VM (any more). */

int vm_read(Session *s, const char *id, VmDetail *ret);
int vm_read_power(Session *s, const char *id, VmPower *ret);

/* 0 also if the VM already is in that state. */
int vm_power_on(Session *s, const char *id);
int vm_power_off(Session *s, const char *id);
/* Asks the guest to shut down, and returns at once: see vm_wait_power(). 0 also if the VM is off already.
 * -EOPNOTSUPP: the guest has no tools running that could do it (ToolsUnavailable). */
int vm_shutdown_guest(Session *s, const char *id);
/* -ETIMEDOUT if the VM is not in that state within @timeout */
int vm_wait_power(Session *s, const char *id, VmPower power, usec_t timeout);

/* Removes all CD-ROM drives with one reconfiguration. */
int vm_remove_cdroms(Session *s, const char *id, unsigned *ret_removed);
