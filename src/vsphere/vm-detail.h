/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What there is to know of one virtual machine. Strings may be NULL if the server does not know them. */

#include "vsphere/vm-summary.h"

typedef struct VmController {
        uint32_t key;
        uint32_t bus; /* busNumber */
        char *type; /* "ParaVirtualSCSIController", "VirtualAHCIController", "VirtualNVMEController", … */
} VmController;

typedef struct VmDisk {
        uint32_t key; /* 2000, … */
        char *label; /* "Hard disk 1" */
        uint32_t controller; /* the key of its controller */
        uint32_t unit;
        uint64_t capacity; /* bytes */
        char *backing; /* the type of its backing, "VirtualDiskFlatVer2BackingInfo" */
        char *file; /* "[DATASTORE] DIRECTORY/NAME.vmdk": the newest link of the chain */
        char *base_file; /* the first link; the same as @file without snapshots */
        char *uuid;
        char *content_id; /* changes when the disk is opened for writing */
        char *change_id; /* NULL: not tracked */
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
        char *network; /* its name */
        bool is_port_group; /* of a distributed switch */
        uint32_t slot; /* its PCI slot number, 0: unknown */
        bool connected; /* at power-on */
} VmNic;

typedef struct VmCdrom {
        uint32_t key, controller, unit;
        char *label;
        char *file; /* an ISO image, or NULL */
        bool connected;
} VmCdrom;

#define VM_SNAPSHOTS_MAX 500u
typedef struct VmSnapshot {
        char *id; /* "snapshot-12" */
        char *name;
        char *created; /* as the server writes it: RFC 3339 */
        bool current;
} VmSnapshot;

typedef struct VmDetail {
        VmSummary summary;
        char *firmware; /* "bios" or "efi" */
        char *hardware_version; /* "vmx-19" */
        char *annotation;
        char *host; /* name of the host that it is on */
        char *modified; /* config.modified as the server writes it: changes with each reconfiguration */
        char *datacenter_path; /* for /folder: "DIRECTORY/DATACENTER" */
        uint32_t cores_per_socket;
        bool secure_boot, tpm;
        bool encrypted;
        char **pci_devices, **usb_devices; /* labels of devices of the host that it uses */
        bool change_tracking, change_tracking_supported;
        bool has_snapshots;
        unsigned n_snapshots;
        VmController *controllers;
        VmDisk *disks; /* in the order of the server */
        VmNic *nics;
        VmCdrom *cdroms;
        size_t n_controllers, n_disks, n_nics, n_cdroms;
        VmSnapshot *snapshots; /* VM_SNAPSHOTS_MAX of them at most, parents before their children */
        size_t n_listed;
} VmDetail;

void vm_detail_done(VmDetail *d);
#define _cleanup_vm_detail_ _cleanup_(vm_detail_done)
