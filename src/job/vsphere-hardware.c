/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/vsphere-hardware.h"

#include "basic/string-util.h"
#include "spec/vm-value.h"

static const struct {
        const char *type;
        VmBus bus;
        const char *model;
} controllers[] = {
        { "ParaVirtualSCSIController", VM_BUS_SCSI, "pvscsi" },
        { "VirtualLsiLogicController", VM_BUS_SCSI, "lsilogic" },
        { "VirtualLsiLogicSASController", VM_BUS_SCSI, "lsisas1068" },
        { "VirtualBusLogicController", VM_BUS_SCSI, "buslogic" },
        { "VirtualIDEController", VM_BUS_IDE, NULL },
        { "VirtualAHCIController", VM_BUS_SATA, "ahci" },
        { "VirtualNVMEController", VM_BUS_NVME, NULL },
};

static const struct {
        const char *type, *model;
} cards[] = {
        { "VirtualVmxnet3", "vmxnet3" },
        { "VirtualVmxnet3Vrdma", "vmxnet3" },
        { "VirtualVmxnet2", "vmxnet2" },
        { "VirtualE1000", "e1000" },
        { "VirtualE1000e", "e1000e" },
        { "VirtualPCNet32", "pcnet32" },
};

static int text(const char *s, size_t max, char **ret) {
        if (isempty(s))
                return 0;
        *ret = vm_text(s, max);
        return *ret ? 0 : -ENOMEM;
}

static const VmController *find_controller(const VmDetail *d, uint32_t key) {
        for (size_t i = 0; i < d->n_controllers; i++)
                if (d->controllers[i].key == key)
                        return &d->controllers[i];
        return NULL;
}

static int set_controller(const VmController *c, HardwareDisk *disk) {
        for (size_t i = 0; c && i < ELEMENTSOF(controllers); i++)
                if (streq_ptr(c->type, controllers[i].type)) {
                        disk->bus = controllers[i].bus;
                        disk->controller = c->bus;
                        disk->model = controllers[i].model ? strdup(controllers[i].model) : NULL;
                        return controllers[i].model && !disk->model ? -ENOMEM : 0;
                }
        return 0;
}

static int add_disk(const VmDetail *d, const VmDisk *v, VmHardware *vm) {
        HardwareDisk *disk = vm_hardware_add_disk(vm);

        if (!disk)
                return -ENOMEM;
        disk->id = strprintf("%u", v->key);
        disk->unit = v->unit;
        disk->capacity = v->capacity;
        return disk->id ? set_controller(find_controller(d, v->controller), disk) : -ENOMEM;
}

static int add_nic(const VmNic *v, VmHardware *vm) {
        HardwareNic *nic = vm_hardware_add_nic(vm);
        char mac[VM_MAC_SIZE];

        if (!nic)
                return errno == E2BIG ? 0 : -ENOMEM;
        nic->disconnected = !v->connected;
        nic->slot = v->slot <= VM_SLOT_MAX ? v->slot : 0;
        if (v->mac && vm_mac_normalize(v->mac, mac) >= 0) {
                nic->mac = strdup(mac);
                if (!nic->mac)
                        return -ENOMEM;
        }
        for (size_t i = 0; i < ELEMENTSOF(cards) && !nic->model; i++)
                if (streq_ptr(v->type, cards[i].type)) {
                        nic->model = strdup(cards[i].model);
                        if (!nic->model)
                                return -ENOMEM;
                }
        return text(v->network, VM_TEXT_MAX, &nic->network);
}

static int set_machine(const VmDetail *d, VmHardware *vm) {
        char uuid[VM_UUID_SIZE];

        vm->firmware = streq_ptr(d->firmware, "efi")     ? VM_FIRMWARE_EFI
                        : streq_ptr(d->firmware, "bios") ? VM_FIRMWARE_BIOS
                                                         : VM_FIRMWARE_UNKNOWN;
        vm->secure_boot = d->secure_boot && vm->firmware == VM_FIRMWARE_EFI;
        vm->tpm = d->tpm;
        vm->cpus = d->summary.cpus <= VM_CPUS_MAX ? d->summary.cpus : 0;
        if (d->cores_per_socket > 0 && vm->cpus % d->cores_per_socket == 0)
                vm->cores_per_socket = d->cores_per_socket;
        if (d->summary.memory >= VM_MEMORY_MIN && d->summary.memory <= VM_MEMORY_MAX)
                vm->memory = d->summary.memory;
        if (d->summary.uuid && vm_uuid_normalize(d->summary.uuid, uuid) >= 0) {
                vm->uuid = strdup(uuid);
                if (!vm->uuid)
                        return -ENOMEM;
        }
        int r = text(d->summary.guest_id, VM_WORD_MAX, &vm->guest_os);
        return r < 0 ? r : text(d->summary.name, VM_TEXT_MAX, &vm->name);
}

int vsphere_hardware(const VmDetail *d, VmHardware **ret) {
        _cleanup_vm_ VmHardware *vm = vm_hardware_new();

        if (!vm)
                return -ENOMEM;
        int r = set_machine(d, vm);
        for (size_t i = 0; i < d->n_disks && r >= 0; i++)
                r = add_disk(d, &d->disks[i], vm);
        for (size_t i = 0; i < d->n_nics && r >= 0; i++)
                r = add_nic(&d->nics[i], vm);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(vm);
        return 0;
}
