/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/vm.h"

#include "basic/string-util.h"

static const char *const firmware_names[_VM_FIRMWARE_MAX] = {
        [VM_FIRMWARE_BIOS] = "bios",
        [VM_FIRMWARE_EFI] = "efi",
};

static const char *const bus_names[_VM_BUS_MAX] = {
        [VM_BUS_SCSI] = "scsi",
        [VM_BUS_SATA] = "sata",
        [VM_BUS_IDE] = "ide",
        [VM_BUS_NVME] = "nvme",
        [VM_BUS_VIRTIO] = "virtio",
};

const char *vm_firmware_to_string(VmFirmware f) {
        return f >= 0 && f < _VM_FIRMWARE_MAX ? firmware_names[f] : NULL;
}

VmFirmware vm_firmware_from_string(const char *s) {
        for (int i = 0; s && i < _VM_FIRMWARE_MAX; i++)
                if (firmware_names[i] && streq(firmware_names[i], s))
                        return i;
        return _VM_FIRMWARE_INVALID;
}

const char *vm_bus_to_string(VmBus b) {
        return b >= 0 && b < _VM_BUS_MAX ? bus_names[b] : NULL;
}

VmBus vm_bus_from_string(const char *s) {
        for (int i = 0; s && i < _VM_BUS_MAX; i++)
                if (bus_names[i] && streq(bus_names[i], s))
                        return i;
        return _VM_BUS_INVALID;
}

/* --- the struct ------------------------------------------------------------------------------------ */

static void vm_disk_done(HardwareDisk *d) {
        free(d->id);
        free(d->model);
        free(d->serial);
}

static void vm_nic_done(HardwareNic *n) {
        free(n->mac);
        free(n->model);
        free(n->network);
}

VmHardware *vm_hardware_new(void) {
        return new0(VmHardware, 1);
}

VmHardware *vm_hardware_free(VmHardware *vm) {
        if (!vm)
                return NULL;
        for (size_t i = 0; i < vm->n_disks; i++)
                vm_disk_done(&vm->disks[i]);
        for (size_t i = 0; i < vm->n_nics; i++)
                vm_nic_done(&vm->nics[i]);
        free(vm->disks);
        free(vm->nics);
        free(vm->name);
        free(vm->uuid);
        free(vm->guest_os);
        return mfree(vm);
}

HardwareDisk *vm_hardware_add_disk(VmHardware *vm) {
        errno = vm->n_disks < VM_DISKS_MAX ? ENOMEM : E2BIG;
        if (vm->n_disks >= VM_DISKS_MAX || !GREEDY_REALLOC(vm->disks, vm->allocated_disks, vm->n_disks + 1))
                return NULL;
        vm->disks[vm->n_disks] = (HardwareDisk){};
        return &vm->disks[vm->n_disks++];
}

HardwareNic *vm_hardware_add_nic(VmHardware *vm) {
        errno = vm->n_nics < VM_NICS_MAX ? ENOMEM : E2BIG;
        if (vm->n_nics >= VM_NICS_MAX || !GREEDY_REALLOC(vm->nics, vm->allocated_nics, vm->n_nics + 1))
                return NULL;
        vm->nics[vm->n_nics] = (HardwareNic){};
        return &vm->nics[vm->n_nics++];
}
