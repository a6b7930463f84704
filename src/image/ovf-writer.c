/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "basic/string-util.h"
#include "image/ovf-writer.h"

#define DISKS_PER_CONTROLLER 15u
#define CONTROLLER_UNIT 7u /* of the controller itself, on its own bus */
#define FIRST_CONTROLLER_ID 3u
#define FIRST_DISK_ID 100u
#define FIRST_NIC_ID 200u
#define MIB ((uint64_t) 1024 * 1024)
#define STREAM_FORMAT "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"

/* For text and for attributes in double quotes. */
static void write_escaped(FILE *f, const char *s) {
        for (; *s; s++)
                switch (*s) {
                case '&':
                        fputs("&amp;", f);
                        break;
                case '<':
                        fputs("&lt;", f);
                        break;
                case '>':
                        fputs("&gt;", f);
                        break;
                case '"':
                        fputs("&quot;", f);
                        break;
                default:
                        fputc(*s, f);
                }
}

/* A relative reference (RFC 3986). */
static void write_href(FILE *f, const char *name) {
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

        for (; *name; name++)
                if (strchr(plain, *name))
                        fputc(*name, f);
                else
                        fprintf(f, "%%%02X", (unsigned char) *name);
}

static void write_references(FILE *f, const OvfWriteDisk *disks, size_t n) {
        fputs("  <References>\n", f);
        for (size_t i = 0; i < n; i++) {
                fputs("    <File ovf:href=\"", f);
                write_href(f, disks[i].file);
                fprintf(f, "\" ovf:id=\"file%zu\" ovf:size=\"%" PRIu64 "\"/>\n", i + 1, disks[i].size);
        }
        fputs("  </References>\n", f);
}

static void write_disks(FILE *f, const OvfWriteDisk *disks, size_t n) {
        fputs("  <DiskSection>\n    <Info>The virtual disks</Info>\n", f);
        for (size_t i = 0; i < n; i++)
                fprintf(f,
                                "    <Disk ovf:capacity=\"%" PRIu64
                                "\" ovf:capacityAllocationUnits=\"byte\" ovf:diskId=\"disk%zu\" "
                                "ovf:fileRef=\"file%zu\" ovf:format=\"" STREAM_FORMAT "\"/>\n",
                                disks[i].capacity, i + 1, i + 1);
        fputs("  </DiskSection>\n", f);
}

/* The elements of an Item must come in the order of the alphabet. */
static void write_machine(FILE *f, const VmHardware *vm) {
        unsigned cpus = vm->cpus > 0 ? vm->cpus : OVF_CPUS;
        uint64_t memory = vm->memory > 0 ? (vm->memory + MIB - 1) / MIB : OVF_MEMORY_MB;

        fprintf(f,
                        "      <Item>\n"
                        "        <rasd:AllocationUnits>hertz * 10^6</rasd:AllocationUnits>\n"
                        "        <rasd:Description>Number of virtual CPUs</rasd:Description>\n"
                        "        <rasd:ElementName>%u virtual CPUs</rasd:ElementName>\n"
                        "        <rasd:InstanceID>1</rasd:InstanceID>\n"
                        "        <rasd:ResourceType>3</rasd:ResourceType>\n"
                        "        <rasd:VirtualQuantity>%u</rasd:VirtualQuantity>\n",
                        cpus, cpus);
        if (vm->cores_per_socket > 0)
                fprintf(f, "        <vmw:CoresPerSocket ovf:required=\"false\">%u</vmw:CoresPerSocket>\n",
                                vm->cores_per_socket);
        fprintf(f,
                        "      </Item>\n"
                        "      <Item>\n"
                        "        <rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits>\n"
                        "        <rasd:Description>Memory size</rasd:Description>\n"
                        "        <rasd:ElementName>%" PRIu64 " MB of memory</rasd:ElementName>\n"
                        "        <rasd:InstanceID>2</rasd:InstanceID>\n"
                        "        <rasd:ResourceType>4</rasd:ResourceType>\n"
                        "        <rasd:VirtualQuantity>%" PRIu64 "</rasd:VirtualQuantity>\n"
                        "      </Item>\n",
                        memory, memory);
}

static void write_controller(FILE *f, unsigned controller) {
        fprintf(f,
                        "      <Item>\n"
                        "        <rasd:Address>%u</rasd:Address>\n"
                        "        <rasd:Description>SCSI controller</rasd:Description>\n"
                        "        <rasd:ElementName>SCSI controller %u</rasd:ElementName>\n"
                        "        <rasd:InstanceID>%u</rasd:InstanceID>\n"
                        "        <rasd:ResourceSubType>lsilogic</rasd:ResourceSubType>\n"
                        "        <rasd:ResourceType>6</rasd:ResourceType>\n"
                        "      </Item>\n",
                        controller, controller, FIRST_CONTROLLER_ID + controller);
}

static void write_disk_item(FILE *f, unsigned disk) {
        unsigned unit = disk % DISKS_PER_CONTROLLER;

        fprintf(f,
                        "      <Item>\n"
                        "        <rasd:AddressOnParent>%u</rasd:AddressOnParent>\n"
                        "        <rasd:ElementName>Hard disk %u</rasd:ElementName>\n"
                        "        <rasd:HostResource>ovf:/disk/disk%u</rasd:HostResource>\n"
                        "        <rasd:InstanceID>%u</rasd:InstanceID>\n"
                        "        <rasd:Parent>%u</rasd:Parent>\n"
                        "        <rasd:ResourceType>17</rasd:ResourceType>\n"
                        "      </Item>\n",
                        unit + (unit >= CONTROLLER_UNIT), disk + 1, disk + 1, FIRST_DISK_ID + disk,
                        FIRST_CONTROLLER_ID + disk / DISKS_PER_CONTROLLER);
}

/* --- networks -------------------------------------------------------------------------------------- */

static const char *network_of(const HardwareNic *nic) {
        return isempty(nic->network) ? "none" : nic->network;
}

static bool was_written(const VmHardware *vm, size_t nic) {
        for (size_t i = 0; i < nic; i++)
                if (streq(network_of(&vm->nics[i]), network_of(&vm->nics[nic])))
                        return true;
        return false;
}

static void write_networks(FILE *f, const VmHardware *vm) {
        if (vm->n_nics == 0)
                return;
        fputs("  <NetworkSection>\n    <Info>The networks</Info>\n", f);
        for (size_t i = 0; i < vm->n_nics; i++) {
                if (was_written(vm, i))
                        continue;
                fputs("    <Network ovf:name=\"", f);
                write_escaped(f, network_of(&vm->nics[i]));
                fputs("\"/>\n", f);
        }
        fputs("  </NetworkSection>\n", f);
}

static void write_nic(FILE *f, const HardwareNic *nic, unsigned number) {
        fputs("      <Item>\n", f);
        if (nic->mac)
                fprintf(f, "        <rasd:Address>%s</rasd:Address>\n", nic->mac);
        fprintf(f, "        <rasd:AutomaticAllocation>%s</rasd:AutomaticAllocation>\n",
                        nic->disconnected ? "false" : "true");
        fputs("        <rasd:Connection>", f);
        write_escaped(f, network_of(nic));
        fprintf(f,
                        "</rasd:Connection>\n"
                        "        <rasd:ElementName>Network adapter %u</rasd:ElementName>\n"
                        "        <rasd:InstanceID>%u</rasd:InstanceID>\n"
                        "        <rasd:ResourceSubType>%s</rasd:ResourceSubType>\n"
                        "        <rasd:ResourceType>10</rasd:ResourceType>\n"
                        "      </Item>\n",
                        number + 1, FIRST_NIC_ID + number, nic->model ? nic->model : "E1000");
}

/* --- the machine ----------------------------------------------------------------------------------- */

static void write_config(FILE *f, const char *key, const char *value) {
        fprintf(f, "      <vmw:Config ovf:required=\"false\" vmw:key=\"%s\" vmw:value=\"%s\"/>\n", key,
                        value);
}

static void write_firmware(FILE *f, const VmHardware *vm) {
        if (vm->firmware == VM_FIRMWARE_EFI)
                write_config(f, "firmware", "efi");
        if (vm->secure_boot)
                write_config(f, "bootOptions.efiSecureBootEnabled", "true");
}

static void write_guest_os(FILE *f, const VmHardware *vm) {
        fputs("    <OperatingSystemSection ovf:id=\"1\"", f);
        /* The IDs of others mean nothing to VMware. */
        if (vm->guest_os && endswith(vm->guest_os, "Guest")) {
                fputs(" vmw:osType=\"", f);
                write_escaped(f, vm->guest_os);
                fputs("\"", f);
        }
        fputs(">\n      <Info>The guest operating system</Info>\n", f);
        if (vm->guest_os) {
                fputs("      <Description>", f);
                write_escaped(f, vm->guest_os);
                fputs("</Description>\n", f);
        }
        fputs("    </OperatingSystemSection>\n", f);
}

static void write_system(FILE *f, const char *name, const VmHardware *vm, unsigned n_disks) {
        fputs("  <VirtualSystem ovf:id=\"", f);
        write_escaped(f, name);
        fputs("\">\n    <Info>A virtual machine</Info>\n    <Name>", f);
        write_escaped(f, name);
        fputs("</Name>\n", f);
        write_guest_os(f, vm);
        fputs("    <VirtualHardwareSection>\n"
              "      <Info>Virtual hardware requirements</Info>\n"
              "      <System>\n"
              "        <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>\n"
              "        <vssd:InstanceID>0</vssd:InstanceID>\n"
              "        <vssd:VirtualSystemIdentifier>",
                        f);
        write_escaped(f, name);
        fputs("</vssd:VirtualSystemIdentifier>\n"
              "        <vssd:VirtualSystemType>vmx-10</vssd:VirtualSystemType>\n"
              "      </System>\n",
                        f);
        write_machine(f, vm);
        for (unsigned i = 0; i * DISKS_PER_CONTROLLER < n_disks; i++)
                write_controller(f, i);
        for (unsigned i = 0; i < n_disks; i++)
                write_disk_item(f, i);
        for (unsigned i = 0; i < vm->n_nics; i++)
                write_nic(f, &vm->nics[i], i);
        write_firmware(f, vm);
        fputs("    </VirtualHardwareSection>\n  </VirtualSystem>\n", f);
}

char *ovf_write(const char *name, const VmHardware *vm, const OvfWriteDisk *disks, size_t n_disks) {
        static const VmHardware plain = {};
        char *text = NULL;
        size_t size = 0;

        if (n_disks < 1 || n_disks > OVF_WRITE_MAX)
                return NULL;
        FILE *f = open_memstream(&text, &size);
        if (!f)
                return NULL;
        fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
              "<Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\"\n"
              "          xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\"\n"
              "          xmlns:rasd=\"http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
              "CIM_ResourceAllocationSettingData\"\n"
              "          xmlns:vmw=\"http://www.vmware.com/schema/ovf\"\n"
              "          xmlns:vssd=\"http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
              "CIM_VirtualSystemSettingData\"\n"
              "          xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n",
                        f);
        write_references(f, disks, n_disks);
        write_disks(f, disks, n_disks);
        write_networks(f, vm ? vm : &plain);
        write_system(f, name, vm ? vm : &plain, (unsigned) n_disks);
        fputs("</Envelope>\n", f);
        bool failed = ferror(f);
        if (fclose(f) != 0 || failed) {
                free(text);
                return NULL;
        }
        return text;
}
