/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/file/deploy.h"

#include <sys/stat.h>

#include "basic/byte-order.h"
#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "image/disk-firmware.h"
#include "manager/definition.h"
#include "manager/file/file-open.h"
#include "shared/error-table.h"
#include "spec/disk-format.h"
#include "spec/job-id.h"
#include "spec/job-path.h"
#include "spec/vm-value.h"

#define CPUS_MAX 512u
#define MEMORY_MIN 64u
#define MEMORY_MAX 16777216u
#define DEPLOY_NAME_MAX 80u
#define HEAD_SIZE 512
#define BRIDGE_PREFIX "bridge:"

/* The fields as they come. */
typedef struct Body {
        DeployDefinition d;
        char *disk_path, *format, *target, *host, *os, *firmware_word, *graphics;
        json_t *disks;
} Body;

static int bus_from_string(const char *s) {
        int bus = vm_bus_from_string(s);

        return bus == VM_BUS_VIRTIO || bus == VM_BUS_SATA || bus == VM_BUS_SCSI ? bus : -EINVAL;
}

#define AT(member) offsetof(Body, member)
static const JsonField fields[] = {
        { "name", JSON_FIELD_STRING, AT(d.name), JSON_REQUIRED | JSON_NONEMPTY, .max = DEPLOY_NAME_MAX },
        { "disk_path", JSON_FIELD_STRING, AT(disk_path), JSON_NULLABLE },
        { "disks", JSON_FIELD_ANY, AT(disks), JSON_NULLABLE },
        { "format", JSON_FIELD_STRING, AT(format), JSON_NULLABLE, .max = VM_WORD_MAX },
        { "cpu", JSON_FIELD_UNSIGNED, AT(d.cpu), JSON_NULLABLE, .min = 1, .max = CPUS_MAX },
        { "memory_mb", JSON_FIELD_UINT64, AT(d.memory_mb), JSON_NULLABLE, .min = MEMORY_MIN,
                        .max = MEMORY_MAX },
        { "network", JSON_FIELD_STRING, AT(d.network), JSON_NULLABLE, .max = VM_TEXT_MAX },
        { "target", JSON_FIELD_STRING, AT(target), JSON_NULLABLE, .max = VM_WORD_MAX },
        { "host", JSON_FIELD_STRING, AT(host), JSON_NULLABLE, .max = VM_TEXT_MAX },
        { "autostart", JSON_FIELD_BOOLEAN, AT(d.autostart), JSON_NULLABLE },
        { "start", JSON_FIELD_BOOLEAN, AT(d.start), JSON_NULLABLE },
        { "firmware", JSON_FIELD_STRING, AT(firmware_word), JSON_NULLABLE, .max = VM_WORD_MAX },
        { "bus", JSON_FIELD_ENUM, AT(d.bus), JSON_NULLABLE, .from_string = bus_from_string,
                        .expected = "virtio, sata, scsi" },
        { "nic_model", JSON_FIELD_STRING, AT(d.nic_model), JSON_NULLABLE, .max = VM_WORD_MAX },
        { "mac", JSON_FIELD_STRING, AT(d.mac), JSON_NULLABLE, .max = VM_WORD_MAX },
        { "os", JSON_FIELD_STRING, AT(os), JSON_NULLABLE, .max = VM_WORD_MAX },
        { "graphics", JSON_FIELD_STRING, AT(graphics), JSON_NULLABLE, .max = VM_WORD_MAX },
        {},
};

void deploy_definition_done(DeployDefinition *d) {
        free(d->name);
        free(d->network);
        free(d->nic_model);
        free(d->mac);
        strv_free(d->paths);
        strv_free(d->formats);
        *d = (DeployDefinition){};
}

static void body_done(Body *b) {
        strv_free(b->d.paths);
        strv_free(b->d.formats);
        json_table_done(fields, b);
}

/* --- checks ---------------------------------------------------------------------------------------- */

/* @format: as it was given, or NULL: by the name. */
static int add_disk(DeployDefinition *d, const char *path, const char *format, const char *field,
                JsonErrors *errors) {
        const char *reason;
        int f = format ? (int) disk_format_from_string(format) : (int) disk_format_from_name(path);
        int r = 0;

        if (!job_path_is_valid(path, true, &reason))
                return json_errors_add(errors, field, "%s", reason);
        if (f != FORMAT_QCOW2 && f != FORMAT_RAW)
                r = json_errors_add(
                                errors, "format", "must be qcow2 or raw, and given unless the name says it");
        if (r >= 0)
                r = strv_extend(&d->paths, path);
        return r < 0 ? r : strv_extend(&d->formats, f == FORMAT_RAW ? "raw" : "qcow2");
}

static int read_disk(Body *b, size_t i, const json_t *disk, JsonErrors *errors) {
        const char *path = json_string_value(json_object_get(disk, "path")),
                   *format = json_string_value(json_object_get(disk, "format"));
        const json_t *bus = json_object_get(disk, "bus");
        int r = 0;

        if (!path)
                return json_errors_add(errors, "disks", "must have a path each");
        if (bus && !json_is_null(bus)) {
                int found = json_is_string(bus) ? bus_from_string(json_string_value(bus)) : -EINVAL;

                if (found < 0)
                        r = json_errors_add(errors, "disks", "must have the bus virtio, sata or scsi");
                else
                        b->d.buses[i] = found;
        }
        return r < 0 ? r : add_disk(&b->d, path, format ? format : b->format, "disks", errors);
}

static int read_disks(Body *b, JsonErrors *errors) {
        const json_t *disk;
        size_t i;
        int r = 0;

        if (!b->disks)
                return b->disk_path ? add_disk(&b->d, b->disk_path, b->format, "disk_path", errors)
                                    : json_errors_add(errors, "disk_path", "is required, or disks");
        if (b->disk_path || !json_is_array(b->disks) || json_array_size(b->disks) == 0 ||
                        json_array_size(b->disks) > DEPLOY_DISKS_MAX)
                return json_errors_add(errors, "disks", "must be a list of 1 to %u disks, without disk_path",
                                DEPLOY_DISKS_MAX);
        json_array_foreach(b->disks, i, disk)
                if (r >= 0)
                        r = read_disk(b, i, disk, errors);
        return r;
}

static int check_word(const char *word, const char *field, const char *const *words, JsonErrors *errors) {
        for (size_t i = 0; word && words[i]; i++)
                if (streq(words[i], word))
                        return 0;
        if (!word)
                return 0;
        _cleanup_free_ char *all = strv_join((char *const *) words, ", ");
        return all ? json_errors_add(errors, field, "must be one of %s", all) : -ENOMEM;
}

static int read_words(Body *b, JsonErrors *errors) {
        static const char *const targets[] = { "libvirt", NULL },
                                 *const hosts[] = { "local", "libvirt", NULL },
                                 *const oses[] = { "linux", "windows", NULL },
                                 *const displays[] = { "vnc", "none", NULL },
                                 *const firmwares[] = { "bios", "efi", "efi-secure", NULL };
        bool windows = streq_ptr(b->os, "windows");
        char mac[VM_MAC_SIZE];
        int r = check_word(b->target, "target", targets, errors);

        if (r >= 0)
                r = check_word(b->host, "host", hosts, errors);
        if (r >= 0)
                r = check_word(b->os, "os", oses, errors);
        if (r >= 0)
                r = check_word(b->graphics, "graphics", displays, errors);
        if (r >= 0)
                r = check_word(b->firmware_word, "firmware", firmwares, errors);
        if (r >= 0 && b->d.mac && vm_mac_normalize(b->d.mac, mac) < 0)
                r = json_errors_add(errors, "mac", "must be a MAC address");
        else if (r >= 0 && b->d.mac)
                r = free_and_strdup(&b->d.mac, mac);
        if (r >= 0 && b->d.nic_model && !kvm_nic_model_is_valid(b->d.nic_model))
                r = json_errors_add(errors, "nic_model",
                                "must be one of virtio, e1000e, e1000, rtl8139, vmxnet3");
        if (r >= 0 && !b->d.nic_model)
                r = free_and_strdup(&b->d.nic_model, windows ? "e1000e" : "virtio");
        if (b->firmware_word)
                b->d.firmware = streq(b->firmware_word, "bios") ? VM_FIRMWARE_BIOS : VM_FIRMWARE_EFI;
        b->d.headless = streq_ptr(b->graphics, "none");
        b->d.secure_boot = streq_ptr(b->firmware_word, "efi-secure");
        /* Windows has no drivers of virtio. */
        if (b->d.bus == VM_BUS_UNKNOWN)
                b->d.bus = windows ? VM_BUS_SATA : VM_BUS_VIRTIO;
        return r;
}

int deploy_definition_decode(const char *text, DeployDefinition *ret, JsonErrors *errors) {
        _cleanup_(body_done) Body b = { .d = { .cpu = KVM_CPUS_DEFAULT, .memory_mb = 2048, .start = true } };
        const char *reason;
        int r = definition_read(text, DEPLOY_DEFINITION_MAX, fields, &b, errors);

        if (r > 0 && b.d.name && !kvm_name_is_valid(b.d.name, &reason))
                r = json_errors_add(errors, "name", "%s", reason);
        if (r >= 0)
                r = read_disks(&b, errors);
        if (r >= 0)
                r = read_words(&b, errors);
        if (r < 0)
                return r;
        if (errors->n_errors > 0)
                return -EBADMSG;
        *ret = b.d;
        b.d = (DeployDefinition){};
        return 0;
}

/* --- the images ------------------------------------------------------------------------------------ */

/* The cluster of a qcow2 image with the first bytes of the disk: 0 if it is compressed, or not written. */
static uint64_t first_cluster(int fd) {
        const uint64_t offset_mask = UINT64_C(0x00fffffffffffe00);
        char header[104] = {}, entry[8];
        uint64_t table;

        if (pread_full(fd, header, sizeof(header), 0) < 0 || read_be32(header) != 0x514649fb)
                return 0;
        /* With subclusters, a table has other entries. */
        if (read_be32(header + 4) >= 3 && read_be64(header + 72) & 16)
                return 0;
        if (pread_full(fd, entry, sizeof(entry), read_be64(header + 40) & INT64_MAX) < 0)
                return 0;
        table = read_be64(entry) & offset_mask;
        if (table == 0 || pread_full(fd, entry, sizeof(entry), table) < 0 || read_be64(entry) >> 62 & 1)
                return 0;
        return read_be64(entry) & offset_mask;
}

VmFirmware deploy_firmware(int fd, DiskFormat format) {
        uint64_t offset = format == FORMAT_QCOW2 ? first_cluster(fd) : 0;
        _cleanup_free_ char *head = NULL;

        if (format == FORMAT_QCOW2 && offset == 0)
                return VM_FIRMWARE_UNKNOWN;
        head = malloc(DISK_FIRMWARE_HEAD);
        if (!head || pread_full(fd, head, DISK_FIRMWARE_HEAD, offset) < 0)
                return VM_FIRMWARE_UNKNOWN;
        return disk_firmware(head, DISK_FIRMWARE_HEAD);
}

static int refuse(sd_bus_error *error, const char *path, const char *why) {
        return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "disk_path: %s: %s", path, why);
}

/* How images begin that are of a known format. A raw image may be anything else. */
static const struct {
        size_t offset;
        const char *bytes, *name;
        size_t size;
} magics[] = {
        { 0, "QFI\xfb", "qcow2", 4 },
        { 0, "KDMV", "vmdk", 4 },
        { 0, "COWD", "vmdk", 4 },
        { 0, "# Disk DescriptorFile", "vmdk", 21 },
        { 0x40, "\x7f\x10\xda\xbe", "vdi", 4 },
        { 0, "vhdxfile", "vhdx", 8 },
        { 0, "conectix", "vhd", 8 },
        { 0, "WithoutFreeSpace", "parallels", 16 },
        { 0, "WithouFreSpacExt", "parallels", 16 },
        { 0, "QED", "qed", 4 },
        { 257, "ustar", "tar", 5 },
};

/* @head has HEAD_SIZE bytes. */
static const char *find_format(const char *head, const char *tail) {
        for (size_t i = 0; i < ELEMENTSOF(magics); i++)
                if (memcmp(head + magics[i].offset, magics[i].bytes, magics[i].size) == 0)
                        return magics[i].name;
        /* A fixed VHD has a footer only. */
        return memcmp(tail, "conectix", 8) == 0 ? "vhd" : "raw";
}

/* docs/interop/qcow2.txt in qemu. NULL: it is whole. */
static const char *check_qcow2(const char *header) {
        uint32_t version = read_be32(header + 4);

        if (version != 2 && version != 3)
                return "it is qcow2 of an unknown version";
        if (read_be64(header + 8) != 0)
                return "it has a backing file: make it independent first (qemu-img convert)";
        if (read_be32(header + 32) != 0)
                return "it is encrypted: decrypt it first (qemu-img convert)";
        if (version == 3 && read_be64(header + 72) & 4)
                return "it has an external data file: make it independent first (qemu-img convert)";
        return NULL;
}

static int check_format(int fd, const char *path, DiskFormat format, sd_bus_error *error) {
        const char *name = disk_format_to_string(format), *found, *why;
        char head[HEAD_SIZE] = {}, tail[HEAD_SIZE] = {};
        struct stat st;
        int r;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size < HEAD_SIZE)
                return refuse(error, path, "it is shorter than a sector");
        r = pread_full(fd, head, sizeof(head), 0);
        if (r >= 0)
                r = pread_full(fd, tail, sizeof(tail), (uint64_t) st.st_size - HEAD_SIZE);
        if (r < 0)
                return r;
        found = find_format(head, tail);
        if (!streq(found, name)) {
                _cleanup_free_ char *text =
                                strprintf("it is said to be %s, but it looks like %s", name, found);

                return text ? refuse(error, path, text) : -ENOMEM;
        }
        why = format == FORMAT_QCOW2 ? check_qcow2(head) : NULL;
        return why ? refuse(error, path, why) : 0;
}

int deploy_check_disks(DeployDefinition *d, char *const *roots, sd_bus_error *error) {
        for (size_t i = 0; d->paths[i]; i++) {
                DiskFormat format = disk_format_from_string(d->formats[i]);
                _cleanup_close_ int fd = -EBADF;
                int r = file_open(roots, d->paths[i], S_IFREG, &fd, error);

                if (r >= 0)
                        r = check_format(fd, d->paths[i], format, error);
                if (r < 0)
                        return r;
                if (i == 0 && d->firmware == VM_FIRMWARE_UNKNOWN)
                        d->firmware = (int) deploy_firmware(fd, format);
        }
        return 0;
}

/* --- the domain ------------------------------------------------------------------------------------ */

static int add_nic(const DeployDefinition *d, KvmDomain *domain) {
        const char *network = isempty(d->network) ? "default" : d->network,
                   *bridge = startswith(network, BRIDGE_PREFIX);
        HardwareNic *nic;

        if (streq(network, "none"))
                return 0;
        nic = vm_hardware_add_nic(domain->vm);
        if (!nic)
                return -ENOMEM;
        nic->network = strdup(network);
        nic->mac = d->mac ? strdup(d->mac) : NULL;
        domain->nic_model = strdup(d->nic_model);
        domain->network_map = json_pack("{s:s}", network, bridge ? bridge : network);
        return nic->network && (!d->mac || nic->mac) && domain->nic_model && domain->network_map ? 0
                                                                                                 : -ENOMEM;
}

int deploy_domain(const DeployDefinition *d, KvmDomain **ret) {
        _cleanup_kvm_domain_ KvmDomain *domain = new0(KvmDomain, 1);
        size_t n = strv_length(d->paths);
        int r;

        if (!domain || !(domain->vm = vm_hardware_new()) || !(domain->disks = new0(KvmDisk, n)))
                return -ENOMEM;
        domain->name = strdup(d->name);
        domain->vm->name = strdup(d->name);
        domain->vm->cpus = d->cpu;
        domain->vm->memory = d->memory_mb << 20;
        domain->vm->firmware = d->firmware;
        domain->vm->secure_boot = d->secure_boot;
        domain->disk_bus = d->bus;
        domain->headless = d->headless;
        domain->n_disks = n;
        for (size_t i = 0; i < n; i++) {
                domain->disks[i] = (KvmDisk){ strdup(d->paths[i]), strdup(d->formats[i]), d->buses[i] };
                if (!domain->disks[i].path || !domain->disks[i].format)
                        return -ENOMEM;
        }
        r = job_id_make(&domain->job_id);
        if (r >= 0)
                r = domain->name && domain->vm->name ? add_nic(d, domain) : -ENOMEM;
        if (r < 0)
                return r;
        *ret = TAKE_PTR(domain);
        return 0;
}
