/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/hardware.h"

#include <inttypes.h>
#include <libxml/xmlwriter.h>

#include "basic/string-util.h"
#include "hosts/guest-hardware.h"
#include "spec/kvm-boot.h"

#define IDE_DISKS_MAX 4u

/* What is being written. The first error ends it: later calls do nothing. */
typedef struct Writer {
        xmlTextWriterPtr xml;
        bool failed;
        bool unwritable; /* a text has characters that XML cannot have */
        const KvmDomain *domain;
        const VmHardware *vm;
        const KvmTarget *target;
        const GuestHardware *guest;
        int disk_bus; /* VmBus */
        const char *boot_name; /* of the domain for the proof of boot; NULL: the domain itself is written */
        char **warnings;
} Writer;

static void check(Writer *w, int r) {
        w->failed = w->failed || r < 0;
}

static void begin(Writer *w, const char *element) {
        check(w, xmlTextWriterStartElement(w->xml, (const xmlChar *) element));
}

/* U+FFFE and U+FFFF; of other characters that XML does not have, there are none in names and paths. */
static void check_text(Writer *w, const char *text) {
        w->unwritable = w->unwritable || strstr(text, "\xef\xbf\xbe") || strstr(text, "\xef\xbf\xbf");
}

static void attribute(Writer *w, const char *name, const char *value) {
        check_text(w, value);
        check(w, xmlTextWriterWriteAttribute(w->xml, (const xmlChar *) name, (const xmlChar *) value));
}

static void attribute_number(Writer *w, const char *name, uint64_t value) {
        check(w, xmlTextWriterWriteFormatAttribute(w->xml, (const xmlChar *) name, "%" PRIu64, value));
}

static void end(Writer *w) {
        check(w, xmlTextWriterEndElement(w->xml));
}

/* An element with attributes as pairs of name and value that end with NULL, and no content. */
static void element(Writer *w, const char *name, const char *const *pairs) {
        begin(w, name);
        for (; *pairs; pairs += 2)
                attribute(w, pairs[0], pairs[1]);
        end(w);
}
#define ELEMENT(w, name, ...) element(w, name, (const char *const[]){ __VA_ARGS__, NULL })

static void text_element(Writer *w, const char *name, const char *text) {
        check_text(w, text);
        check(w, xmlTextWriterWriteElement(w->xml, (const xmlChar *) name, (const xmlChar *) text));
}

static void warn(Writer *w, char *text) {
        check(w, strv_consume(&w->warnings, text));
}

/* --- the machine ----------------------------------------------------------------------------------- */

static void write_identity(Writer *w) {
        text_element(w, "name", w->boot_name ? w->boot_name : w->domain->name);
        if (w->vm->uuid && !w->boot_name)
                text_element(w, "uuid", w->vm->uuid);
        begin(w, "metadata");
        begin(w, "hyper:job");
        attribute(w, "xmlns:hyper", HARDWARE_NAMESPACE);
        attribute(w, "id", w->domain->job_id);
        end(w);
        end(w);
}

static void write_size(Writer *w) {
        uint64_t memory = w->vm->memory > 0 ? w->vm->memory : KVM_MEMORY_DEFAULT;
        unsigned cpus = w->vm->cpus > 0 ? w->vm->cpus : KVM_CPUS_DEFAULT;

        begin(w, "memory");
        attribute(w, "unit", "KiB");
        check(w, xmlTextWriterWriteFormatString(w->xml, "%" PRIu64, memory / 1024));
        end(w);
        begin(w, "vcpu");
        check(w, xmlTextWriterWriteFormatString(w->xml, "%u", cpus));
        end(w);
}

static bool has_efi(const Writer *w) {
        return w->vm->firmware == VM_FIRMWARE_EFI;
}

static bool is_pc(const Writer *w) {
        return !w->target->q35 || (w->guest->pc && !has_efi(w));
}

static void write_firmware_feature(Writer *w, const char *name, bool enabled) {
        ELEMENT(w, "feature", "enabled", enabled ? "yes" : "no", "name", name);
}

static void write_os(Writer *w) {
        begin(w, "os");
        if (has_efi(w))
                attribute(w, "firmware", "efi");
        begin(w, "type");
        attribute(w, "arch", "x86_64");
        attribute(w, "machine", is_pc(w) ? "pc" : "q35");
        check(w, xmlTextWriterWriteString(w->xml, (const xmlChar *) "hvm"));
        end(w);
        if (has_efi(w)) {
                begin(w, "firmware");
                if (w->vm->secure_boot)
                        write_firmware_feature(w, "enrolled-keys", true);
                write_firmware_feature(w, "secure-boot", w->vm->secure_boot);
                end(w);
        }
        end(w);
}

static void write_hyperv(Writer *w) {
        static const char *const features[] = { "relaxed", "vapic", "vpindex", "synic", "stimer",
                "frequencies" };

        begin(w, "hyperv");
        attribute(w, "mode", "custom");
        for (size_t i = 0; i < ELEMENTSOF(features); i++)
                ELEMENT(w, features[i], "state", "on");
        ELEMENT(w, "spinlocks", "state", "on", "retries", "8191");
        end(w);
}

static bool has_hyperv(const Writer *w) {
        return w->guest->windows && streq(w->target->type, "kvm");
}

static void write_features(Writer *w) {
        begin(w, "features");
        ELEMENT(w, "acpi", NULL);
        ELEMENT(w, "apic", NULL);
        if (has_hyperv(w))
                write_hyperv(w);
        if (w->vm->secure_boot)
                ELEMENT(w, "smm", "state", "on");
        end(w);
}

/* The number of sockets matters to licences, that of cores per socket to limits of Windows. */
static void write_cpu(Writer *w) {
        bool kvm = streq(w->target->type, "kvm");
        unsigned cpus = w->vm->cpus, cores = MAX(w->vm->cores_per_socket, 1u);

        begin(w, "cpu");
        if (kvm && w->target->host_model)
                attribute(w, "mode", "host-model");
        else if (!kvm && w->target->maximum)
                attribute(w, "mode", "maximum");
        if (cpus > 0) {
                begin(w, "topology");
                attribute_number(w, "sockets", cpus / cores);
                attribute_number(w, "cores", cores);
                attribute(w, "threads", "1");
                end(w);
        }
        end(w);
}

static void write_clock(Writer *w) {
        begin(w, "clock");
        attribute(w, "offset", w->guest->windows ? "localtime" : "utc");
        ELEMENT(w, "timer", "name", "rtc", "tickpolicy", "catchup");
        ELEMENT(w, "timer", "name", "pit", "tickpolicy", "delay");
        ELEMENT(w, "timer", "name", "hpet", "present", "no");
        if (has_hyperv(w))
                ELEMENT(w, "timer", "name", "hypervclock", "present", "yes");
        end(w);
}

/* --- disks ----------------------------------------------------------------------------------------- */

static int choose_disk_bus(const Writer *w) {
        size_t n = w->domain->n_disks;

        if (w->domain->disk_bus != VM_BUS_UNKNOWN)
                return w->domain->disk_bus;
        if (w->guest->disk_bus == VM_BUS_IDE && (!is_pc(w) || n > IDE_DISKS_MAX))
                return VM_BUS_SATA;
        if (w->guest->disk_bus == VM_BUS_VIRTIO && n > KVM_VIRTIO_DISKS_MAX)
                return VM_BUS_SCSI;
        return w->guest->disk_bus;
}

static int bus_of(const Writer *w, size_t disk) {
        int bus = w->domain->disks[disk].bus;

        return bus != VM_BUS_UNKNOWN ? bus : w->disk_bus;
}

static const char *prefix_of(const Writer *w, size_t disk) {
        static const char *const prefixes[_VM_BUS_MAX] = { [VM_BUS_VIRTIO] = "vd", [VM_BUS_IDE] = "hd" };
        const char *prefix = prefixes[bus_of(w, disk)];

        return prefix ? prefix : "sd";
}

/* "vda" to "vdz", "vdaa" and so on. */
static void write_target(Writer *w, size_t disk) {
        const char *prefix = prefix_of(w, disk);
        char letters[4] = "";
        size_t n = sizeof(letters) - 1, before = 0;

        for (size_t i = 0; i < disk; i++)
                before += streq(prefix_of(w, i), prefix);
        for (size_t i = before + 1; i > 0; i = (i - 1) / 26)
                letters[--n] = (char) ('a' + (i - 1) % 26);
        begin(w, "target");
        check(w,
                        xmlTextWriterWriteFormatAttribute(
                                        w->xml, (const xmlChar *) "dev", "%s%s", prefix, letters + n));
        attribute(w, "bus", vm_bus_to_string(bus_of(w, disk)));
        end(w);
}

static const HardwareDisk *source_disk(const Writer *w, size_t disk) {
        return disk < w->vm->n_disks ? &w->vm->disks[disk] : NULL;
}

/* Those of the source's boot order come first, the others follow in their order. */
static bool boots_before(const Writer *w, size_t a, size_t b) {
        const HardwareDisk *first = source_disk(w, a), *second = source_disk(w, b);
        unsigned x = first && first->boot_order > 0 ? first->boot_order : UINT32_MAX,
                 y = second && second->boot_order > 0 ? second->boot_order : UINT32_MAX;

        return x != y ? x < y : a < b;
}

static unsigned boot_order(const Writer *w, size_t disk) {
        unsigned order = 1;

        for (size_t i = 0; i < w->domain->n_disks; i++)
                order += i != disk && boots_before(w, i, disk);
        return order;
}

static void write_disk(Writer *w, size_t disk) {
        const KvmDisk *d = &w->domain->disks[disk];
        const HardwareDisk *source = source_disk(w, disk);

        begin(w, "disk");
        attribute(w, "type", "file");
        attribute(w, "device", "disk");
        ELEMENT(w, "driver", "name", "qemu", "type", d->format, "discard", "unmap");
        ELEMENT(w, "source", "file", d->path);
        write_target(w, disk);
        if (w->boot_name)
                ELEMENT(w, "transient", NULL);
        if (source && source->serial)
                text_element(w, "serial", source->serial);
        begin(w, "boot");
        attribute_number(w, "order", boot_order(w, disk));
        end(w);
        end(w);
}

static void write_disks(Writer *w) {
        bool scsi = false;

        for (size_t i = 0; i < w->domain->n_disks; i++) {
                write_disk(w, i);
                scsi = scsi || bus_of(w, i) == VM_BUS_SCSI;
        }
        if (scsi)
                ELEMENT(w, "controller", "type", "scsi", "index", "0", "model", "virtio-scsi");
}

/* --- NICs ------------------------------------------------------------------------------------------ */

static void warn_unconnected(Writer *w, size_t nic) {
        const HardwareNic *n = &w->vm->nics[nic];

        warn(w,
                        strprintf("NIC %zu%s%s is not connected: no network of libvirt is named for \"%s\" "
                                  "in destination.network_map",
                                        nic + 1, n->mac ? " with the MAC address " : "", strempty(n->mac),
                                        strempty(n->network)));
}

/* A NIC without a network is there, with its link down, so that the guest keeps its name for it. */
static void write_nic(Writer *w, size_t nic) {
        const HardwareNic *n = &w->vm->nics[nic];
        KvmConnection connection = KVM_CONNECTED_NOT;
        const char *name = NULL;

        if (w->boot_name || kvm_connection(w->domain, w->target, n->network, &connection, &name) < 0)
                connection = KVM_CONNECTED_NOT;
        begin(w, "interface");
        attribute(w, "type",
                        connection == KVM_CONNECTED_NETWORK                  ? "network"
                                        : connection == KVM_CONNECTED_BRIDGE ? "bridge"
                                                                             : "user");
        if (n->mac)
                ELEMENT(w, "mac", "address", n->mac);
        if (connection == KVM_CONNECTED_NETWORK)
                ELEMENT(w, "source", "network", name);
        else if (connection == KVM_CONNECTED_BRIDGE)
                ELEMENT(w, "source", "bridge", name);
        else
                warn_unconnected(w, nic);
        ELEMENT(w, "model", "type", w->domain->nic_model ? w->domain->nic_model : w->guest->nic);
        if (n->disconnected || connection == KVM_CONNECTED_NOT)
                ELEMENT(w, "link", "state", "down");
        end(w);
}

/* --- other devices --------------------------------------------------------------------------------- */

static void write_tpm(Writer *w) {
        if (!w->vm->tpm)
                return;
        if (!w->target->tpm)
                return warn(w,
                                strdup("The source has a TPM, and the domain has none: libvirt finds no "
                                       "emulator on this host (package swtpm-tools)"));
        warn(w,
                        strdup("The TPM of the domain is new: secrets in that of the source, such as keys of "
                               "encrypted disks, are not in it"));
        begin(w, "tpm");
        attribute(w, "model", "tpm-crb");
        ELEMENT(w, "backend", "type", "emulator", "version", "2.0");
        end(w);
}

static void write_console(Writer *w) {
        begin(w, "serial");
        attribute(w, "type", "pty");
        end(w);
        begin(w, "console");
        attribute(w, "type", "pty");
        ELEMENT(w, "target", "type", "serial");
        end(w);
        begin(w, "channel");
        attribute(w, "type", "unix");
        ELEMENT(w, "target", "type", "virtio", "name", "org.qemu.guest_agent.0");
        end(w);
}

static void write_display(Writer *w) {
        bool virtio = w->target->virtio_vga && !w->guest->windows && !w->guest->pc;

        begin(w, "input");
        attribute(w, "type", "tablet");
        attribute(w, "bus", "usb");
        end(w);
        begin(w, "graphics");
        attribute(w, "type", "vnc");
        attribute(w, "autoport", "yes");
        ELEMENT(w, "listen", "type", "address", "address", "127.0.0.1");
        end(w);
        begin(w, "video");
        ELEMENT(w, "model", "type", virtio ? "virtio" : "vga");
        end(w);
}

static void write_devices(Writer *w) {
        begin(w, "devices");
        write_disks(w);
        for (size_t i = 0; i < w->vm->n_nics; i++)
                write_nic(w, i);
        write_console(w);
        if (!w->domain->headless)
                write_display(w);
        write_tpm(w);
        ELEMENT(w, "memballoon", "model", "virtio");
        begin(w, "rng");
        attribute(w, "model", "virtio");
        begin(w, "backend");
        attribute(w, "model", "random");
        check(w, xmlTextWriterWriteString(w->xml, (const xmlChar *) "/dev/urandom"));
        end(w);
        end(w);
        end(w);
}

static void write_domain(Writer *w) {
        check(w, xmlTextWriterSetIndent(w->xml, 1));
        check(w, xmlTextWriterSetIndentString(w->xml, (const xmlChar *) "  "));
        begin(w, "domain");
        attribute(w, "type", w->target->type);
        write_identity(w);
        write_size(w);
        write_os(w);
        write_features(w);
        write_cpu(w);
        write_clock(w);
        write_devices(w);
        end(w);
        check(w, xmlTextWriterFlush(w->xml));
}

static int make_xml(const KvmDomain *d, const KvmTarget *t, const char *boot_name, char **ret,
                char ***ret_warnings) {
        xmlBufferPtr buffer = xmlBufferCreate();
        Writer w = { .domain = d,
                .vm = d->vm,
                .target = t,
                .guest = guest_hardware(d->vm->guest_os),
                .boot_name = boot_name };
        char *text = NULL;

        w.disk_bus = choose_disk_bus(&w);
        w.xml = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL;
        if (w.xml) {
                write_domain(&w);
                xmlFreeTextWriter(w.xml);
                text = w.failed ? NULL : strdup((const char *) xmlBufferContent(buffer));
        }
        if (buffer)
                xmlBufferFree(buffer);
        if (!text || w.unwritable) {
                strv_free(w.warnings);
                free(text);
                return w.unwritable ? -EILSEQ : -ENOMEM;
        }
        *ret = text;
        *ret_warnings = w.warnings;
        return 0;
}

int hardware_xml(const KvmDomain *d, const KvmTarget *t, char **ret, char ***ret_warnings) {
        return make_xml(d, t, NULL, ret, ret_warnings);
}

int hardware_boot_xml(const KvmDomain *d, const KvmTarget *t, char **ret) {
        _cleanup_free_ char *name = kvm_boot_domain_name(d->job_id);
        _cleanup_strv_free_ char **warnings = NULL;

        return name ? make_xml(d, t, name, ret, &warnings) : -ENOMEM;
}
