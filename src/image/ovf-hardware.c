/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/ovf-hardware.h"

#include <strings.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "image/ovf-xml.h"
#include "spec/vm-value.h"

/* CIM_ResourceAllocationSettingData.ResourceType */
typedef enum ResourceType {
        RESOURCE_OTHER = 1,
        RESOURCE_CPU = 3,
        RESOURCE_MEMORY = 4,
        RESOURCE_IDE = 5,
        RESOURCE_SCSI = 6,
        RESOURCE_NIC = 10,
        RESOURCE_DISK = 17,
        RESOURCE_STORAGE = 20, /* SATA, NVMe */
} ResourceType;

static int set_text(char **to, const char *s, size_t max) {
        if (isempty(s) || *to)
                return 0;
        *to = vm_text(s, max);
        return *to ? 0 : -ENOMEM;
}

static unsigned number_or_zero(const char *s, unsigned max) {
        unsigned n;

        return s && parse_unsigned(s, &n) >= 0 && n <= max ? n : 0;
}

/* --- the items of the hardware section ------------------------------------------------------------- */

/* OVF 2 has a name for each kind of item. */
static bool is_item(const xmlNode *node) {
        return ovf_is_element(node, "Item") || ovf_is_element(node, "StorageItem") ||
                        ovf_is_element(node, "EthernetPortItem");
}

static unsigned item_type(const xmlNode *item) {
        return number_or_zero(ovf_child_text(item, "ResourceType"), UINT16_MAX);
}

static const xmlNode *find_item(const xmlNode *hardware, const char *id) {
        for (const xmlNode *i = hardware->children; id && i; i = i->next)
                if (is_item(i) && streq(strempty(ovf_child_text(i, "InstanceID")), id))
                        return i;
        return NULL;
}

static int controller_bus(const xmlNode *controller) {
        const char *subtype = strempty(ovf_child_text(controller, "ResourceSubType"));

        switch (item_type(controller)) {
        case RESOURCE_IDE:
                return VM_BUS_IDE;
        case RESOURCE_SCSI:
                return strncasecmp(subtype, "virtio", 6) == 0 ? VM_BUS_VIRTIO : VM_BUS_SCSI;
        case RESOURCE_STORAGE:
                return strcasestr(subtype, "nvme") ? VM_BUS_NVME : VM_BUS_SATA;
        default:
                return VM_BUS_UNKNOWN;
        }
}

/* "ovf:/disk/vmdisk1", "/disk/vmdisk1"; oVirt writes "directory/file". */
static bool names_disk(const char *resource, const OvfDisk *d) {
        const char *slash = resource ? strrchr(resource, '/') : NULL, *id = slash ? slash + 1 : resource;

        return id && (streq(id, d->id) || (d->file && streq(resource, d->file)));
}

static int read_disk_item(const xmlNode *hardware, const xmlNode *item, HardwareDisk *v) {
        const xmlNode *controller = find_item(hardware, ovf_child_text(item, "Parent"));

        v->unit = number_or_zero(ovf_child_text(item, "AddressOnParent"), UINT16_MAX);
        v->boot_order = number_or_zero(ovf_child_text(item, "BootOrder"), VM_DISKS_MAX);
        if (!controller)
                return 0;
        v->bus = controller_bus(controller);
        v->controller = number_or_zero(ovf_child_text(controller, "Address"), VM_DISKS_MAX);
        return vm_word(strempty(ovf_child_text(controller, "ResourceSubType")), &v->model);
}

static int add_disk(VmHardware *vm, const xmlNode *hardware, const OvfDisk *d) {
        HardwareDisk *v = vm_hardware_add_disk(vm);
        int r = v ? set_text(&v->id, d->id, VM_TEXT_MAX) : -ENOMEM;

        if (r < 0)
                return r;
        v->capacity = d->capacity <= INT64_MAX ? d->capacity : 0;
        for (const xmlNode *i = hardware->children; i; i = i->next)
                if (is_item(i) && item_type(i) == RESOURCE_DISK &&
                                names_disk(ovf_child_text(i, "HostResource"), d))
                        return read_disk_item(hardware, i, v);
        return 0;
}

/* <vmw:Config vmw:key="slotInfo.pciSlotNumber" vmw:value="192"/> of VMware. */
static unsigned pci_slot(const xmlNode *item) {
        for (const xmlNode *n = item->children; n; n = n->next)
                if (ovf_is_element(n, "Config") &&
                                streq(strempty(ovf_attribute(n, "key")), "slotInfo.pciSlotNumber"))
                        return number_or_zero(ovf_attribute(n, "value"), VM_SLOT_MAX);
        return 0;
}

static int add_nic(VmHardware *vm, const xmlNode *item) {
        const char *mac = ovf_child_text(item, "Address"), *automatic;
        char normal[VM_MAC_SIZE];
        HardwareNic *n;

        if (vm->n_nics >= VM_NICS_MAX)
                return 0;
        n = vm_hardware_add_nic(vm);
        if (!n)
                return -ENOMEM;
        if (!mac)
                mac = ovf_child_text(item, "MACAddress"); /* oVirt */
        automatic = ovf_child_text(item, "AutomaticAllocation");
        n->slot = pci_slot(item);
        n->disconnected = automatic && strcasecmp(automatic, "false") == 0;
        if (mac && vm_mac_normalize(mac, normal) >= 0 && !(n->mac = strdup(normal)))
                return -ENOMEM;
        int r = vm_word(strempty(ovf_child_text(item, "ResourceSubType")), &n->model);
        return r < 0 ? r : set_text(&n->network, ovf_child_text(item, "Connection"), VM_TEXT_MAX);
}

static void read_cpus(VmHardware *vm, const xmlNode *item) {
        vm->cpus = number_or_zero(ovf_child_text(item, "VirtualQuantity"), VM_CPUS_MAX);
        vm->cores_per_socket = number_or_zero(ovf_child_text(item, "CoresPerSocket"), VM_CPUS_MAX);
        if (vm->cores_per_socket > 0 && vm->cpus % vm->cores_per_socket != 0)
                vm->cores_per_socket = 0;
        if (vm->cpus == 0)
                vm->cores_per_socket = 0;
}

static void read_memory(VmHardware *vm, const xmlNode *item) {
        const char *units = ovf_child_text(item, "AllocationUnits");
        uint64_t memory = ovf_capacity(
                        ovf_child_text(item, "VirtualQuantity"), isempty(units) ? "megabytes" : units);

        vm->memory = memory >= VM_MEMORY_MIN && memory <= VM_MEMORY_MAX ? memory : 0;
}

static int read_item(VmHardware *vm, const xmlNode *item) {
        switch (item_type(item)) {
        case RESOURCE_CPU:
                read_cpus(vm, item);
                return 0;
        case RESOURCE_MEMORY:
                read_memory(vm, item);
                return 0;
        case RESOURCE_NIC:
                return add_nic(vm, item);
        case RESOURCE_OTHER:
                vm->tpm = vm->tpm || strcasestr(strempty(ovf_child_text(item, "ResourceSubType")), "vtpm");
                return 0;
        default:
                return 0;
        }
}

/* --- what the programs add to it ------------------------------------------------------------------- */

/* VMware's <vmw:Config vmw:key="firmware" vmw:value="efi"/>, and <vmw:ExtraConfig> of the same make. */
static int read_config(VmHardware *vm, const xmlNode *config) {
        const char *key = strempty(ovf_attribute(config, "key")),
                   *value = strempty(ovf_attribute(config, "value"));
        char uuid[VM_UUID_SIZE];

        if (streq(key, "firmware"))
                vm->firmware = strcasecmp(value, "efi") == 0 ? VM_FIRMWARE_EFI : VM_FIRMWARE_BIOS;
        else if (streq(key, "bootOptions.efiSecureBootEnabled"))
                vm->secure_boot = strcasecmp(value, "true") == 0;
        else if (streq(key, "uuid.bios") && !vm->uuid && vm_uuid_normalize(value, uuid) >= 0) {
                vm->uuid = strdup(uuid);
                return vm->uuid ? 0 : -ENOMEM;
        }
        return 0;
}

/* VirtualBox writes the addresses only into its own description of the machine. */
static int read_adapters(VmHardware *vm, const xmlNode *network) {
        const char *enabled, *mac;
        char normal[VM_MAC_SIZE];
        size_t n = 0;

        for (const xmlNode *a = ovf_child(network, "Adapter"); a && n < vm->n_nics;
                        a = ovf_next_element(a->next, "Adapter")) {
                enabled = ovf_attribute(a, "enabled");
                mac = ovf_attribute(a, "MACAddress");
                if (!enabled || !streq(enabled, "true"))
                        continue;
                HardwareNic *nic = &vm->nics[n++];
                if (!nic->mac && mac && vm_mac_normalize(mac, normal) >= 0 && !(nic->mac = strdup(normal)))
                        return -ENOMEM;
        }
        return 0;
}

static int read_virtualbox(VmHardware *vm, const xmlNode *machine) {
        const xmlNode *hardware = ovf_child(machine, "Hardware"),
                      *firmware = ovf_child(hardware, "Firmware");
        const char *uuid = ovf_attribute(machine, "uuid");
        char normal[VM_UUID_SIZE];

        if (uuid && !vm->uuid && vm_uuid_normalize(uuid, normal) >= 0 && !(vm->uuid = strdup(normal)))
                return -ENOMEM;
        if (firmware && strncasecmp(strempty(ovf_attribute(firmware, "type")), "EFI", 3) == 0)
                vm->firmware = VM_FIRMWARE_EFI;
        return hardware ? read_adapters(vm, ovf_child(hardware, "Network")) : 0;
}

/* VMware and VirtualBox write the firmware only if it is EFI. */
static void settle_firmware(VmHardware *vm, const xmlNode *hardware) {
        const xmlNode *system = ovf_child(hardware, "System");
        const char *type = system ? strempty(ovf_child_text(system, "VirtualSystemType")) : "";

        if (vm->firmware == VM_FIRMWARE_UNKNOWN &&
                        (startswith(type, "vmx-") || startswith(type, "virtualbox")))
                vm->firmware = VM_FIRMWARE_BIOS;
        vm->secure_boot = vm->secure_boot && vm->firmware == VM_FIRMWARE_EFI;
}

static int read_guest_os(VmHardware *vm, const xmlNode *section) {
        const char *type = ovf_attribute(section, "osType"), *text;

        if (isempty(type))
                type = ovf_child_text(section, "OSType");
        text = ovf_child_text(section, "Description");
        return set_text(&vm->guest_os, isempty(type) ? text : type, VM_WORD_MAX);
}

static int read_hardware(VmHardware *vm, const xmlNode *hardware, const OvfDescriptor *d) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < d->n_disks; i++)
                if (d->disks[i].file)
                        r = add_disk(vm, hardware, &d->disks[i]);
        for (const xmlNode *n = hardware->children; r >= 0 && n; n = n->next)
                if (is_item(n))
                        r = read_item(vm, n);
                else if (ovf_is_element(n, "Config") || ovf_is_element(n, "ExtraConfig"))
                        r = read_config(vm, n);
        return r;
}

static int read_system(VmHardware *vm, const xmlNode *system, const OvfDescriptor *d) {
        const char *name = ovf_child_text(system, "Name");
        const xmlNode *hardware = NULL;
        int r = set_text(&vm->name, isempty(name) ? ovf_attribute(system, "id") : name, VM_TEXT_MAX);

        for (const xmlNode *n = system->children; r >= 0 && n; n = n->next)
                if (ovf_is_section(n, "OperatingSystemSection"))
                        r = read_guest_os(vm, n);
                else if (!hardware && ovf_is_section(n, "VirtualHardwareSection")) {
                        hardware = n;
                        r = read_hardware(vm, n, d);
                }
        for (const xmlNode *n = system->children; r >= 0 && n; n = n->next)
                if (ovf_is_element(n, "Machine"))
                        r = read_virtualbox(vm, n);
        if (hardware)
                settle_firmware(vm, hardware);
        return r;
}

/* A VirtualSystem; "Content" in OVF 0.9 and with oVirt. Several of them are in a VirtualSystemCollection. */
static const xmlNode *only_system(const xmlNode *envelope) {
        const xmlNode *found = NULL;

        for (const xmlNode *n = envelope->children; n; n = n->next) {
                if (ovf_is_element(n, "VirtualSystemCollection"))
                        return NULL;
                if (!ovf_is_element(n, "VirtualSystem") && !ovf_is_element(n, "Content"))
                        continue;
                if (found)
                        return NULL;
                found = n;
        }
        return found;
}

int ovf_hardware_read(const xmlNode *envelope, const OvfDescriptor *d, VmHardware **ret) {
        const xmlNode *system = only_system(envelope);
        _cleanup_vm_ VmHardware *vm = system ? vm_hardware_new() : NULL;

        if (!system) {
                *ret = NULL;
                return 0;
        }
        int r = vm ? read_system(vm, system, d) : -ENOMEM;
        if (r < 0)
                return r;
        *ret = TAKE_PTR(vm);
        return 0;
}
