/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The hardware of a virtual machine as one JSON document: read from an OVF descriptor or from vSphere, kept
 * in the result of a job, and used to define a libvirt domain and to write OVF packages. What the source
 * does not say is left out of the document. */

#include "basic/macro.h"

#define VM_DISKS_MAX 256u
#define VM_NICS_MAX 64u
#define VM_CPUS_MAX 4096u
#define VM_SLOT_MAX 65535u
#define VM_MEMORY_MIN ((uint64_t) 1024 * 1024)
#define VM_MEMORY_MAX ((uint64_t) 1 << 46) /* 64 TiB */
#define VM_TEXT_MAX 255u /* bytes of a name */
#define VM_WORD_MAX 64u /* of an id or model */
#define VM_MAC_SIZE 18u /* "00:50:56:aa:bb:cc" */
#define VM_UUID_SIZE 37u

typedef enum VmFirmware {
        VM_FIRMWARE_UNKNOWN, /* not in the document */
        VM_FIRMWARE_BIOS,
        VM_FIRMWARE_EFI,
        _VM_FIRMWARE_MAX,
        _VM_FIRMWARE_INVALID = -EINVAL,
} VmFirmware;

typedef enum VmBus {
        VM_BUS_UNKNOWN, /* not in the document */
        VM_BUS_SCSI,
        VM_BUS_SATA,
        VM_BUS_IDE,
        VM_BUS_NVME,
        VM_BUS_VIRTIO,
        _VM_BUS_MAX,
        _VM_BUS_INVALID = -EINVAL,
} VmBus;

typedef struct HardwareDisk {
        char *id; /* the source's: an OVF's diskId, the key of a device of vSphere; or NULL */
        int bus; /* VmBus */
        char *model; /* of its controller, in lower case: "pvscsi", "lsilogic"; or NULL */
        unsigned controller; /* number of the controller among those of its bus */
        unsigned unit; /* position on the controller */
        uint64_t capacity; /* bytes; 0: unknown */
        char *serial; /* that the guest sees; or NULL */
        unsigned boot_order; /* 1 is the first; 0: it is not in the boot order */
} HardwareDisk;

typedef struct HardwareNic {
        char *mac; /* as vm_mac_normalize() writes it; NULL: unknown */
        char *model; /* in lower case: "vmxnet3", "e1000"; or NULL */
        char *network; /* the source's name of its network; or NULL */
        unsigned slot; /* the PCI slot number of VMware, which names of Linux have: 192; 0: unknown */
        bool disconnected; /* "connected": false */
} HardwareNic;

typedef struct VmHardware {
        char *name;
        char *uuid; /* as vm_uuid_normalize() writes it; or NULL */
        char *guest_os; /* the source's id: "debian12_64Guest"; or NULL */
        int firmware; /* VmFirmware */
        bool secure_boot; /* only with VM_FIRMWARE_EFI */
        bool tpm;
        unsigned cpus; /* 0: unknown */
        unsigned cores_per_socket; /* 0: unknown; divides cpus */
        uint64_t memory; /* bytes; 0: unknown */
        HardwareDisk *disks; /* in the order of the source, which is that of the outputs of the job */
        size_t n_disks, allocated_disks;
        HardwareNic *nics; /* in the order of the source */
        size_t n_nics, allocated_nics;
} VmHardware;

VmHardware *vm_hardware_new(void);
VmHardware *vm_hardware_free(VmHardware *vm);
DEFINE_CLEANUP_FUNC(VmHardware *, vm_hardware_free);
#define _cleanup_vm_ _cleanup_(vm_hardware_freep)

/* A new empty entry at the end, which belongs to @vm; valid until the next call. NULL when out of memory, or
 * with errno E2BIG when there are too many. */
HardwareDisk *vm_hardware_add_disk(VmHardware *vm);
HardwareNic *vm_hardware_add_nic(VmHardware *vm);

const char *vm_firmware_to_string(VmFirmware f) _pure_;
VmFirmware vm_firmware_from_string(const char *s) _pure_;
const char *vm_bus_to_string(VmBus b) _pure_;
VmBus vm_bus_from_string(const char *s) _pure_;
