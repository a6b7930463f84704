/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The devices of a virtual machine in the form of v1, added to what v1_vm_json() has made. Pure. What comes
 * in is what hyper-vsphered and hyper-hostd have read: text that a server or a guest has chosen. All return 0
 * or -ENOMEM. */

#include <jansson.h>

#include "basic/macro.h"

/* From GetVM or an element of GetVMs of hyper-vsphered: what lists have. */
int v1_vm_add_vsphere(json_t *vm, const json_t *details);
/* The same, and what only one VM has: "hardware", "host", "annotation", "datastores", "migration". */
int v1_vm_add_vsphere_all(json_t *vm, const json_t *details);

/* A disk of libvirt, as ListDisks of a host has it: "disk", "cdrom" and others. */
typedef struct V1LibvirtDisk {
        const char *target, *bus, *device, *type, *format, *path;
        uint64_t size;
        bool read_only, shareable;
} V1LibvirtDisk;
int v1_vm_add_libvirt_disk(json_t *vm, const V1LibvirtDisk *disk);

/* Likewise of ListPorts. */
typedef struct V1LibvirtPort {
        const char *mac, *model, *type, *source, *link;
} V1LibvirtPort;
int v1_vm_add_libvirt_port(json_t *vm, const V1LibvirtPort *port);

/* From GetExtendedHardware of a VM, when its disks and ports were added. */
int v1_vm_add_libvirt_all(json_t *vm, const json_t *extended);
/* From ListSnapshots, before or after that. */
int v1_vm_add_libvirt_snapshots(json_t *vm, const json_t *list);
