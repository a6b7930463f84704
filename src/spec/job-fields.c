/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/job-fields.h"
#include "basic/string-util.h"
#include "spec/carbon-spec.h"
#include "spec/job-settings.h"
#include "spec/vsphere-server.h"
#include "spec/warm-spec.h"

static int operation(const char *s) {
        return job_operation_from_string(s);
}

static int type_at(const char *s, EndpointEnds end) {
        EndpointType t = endpoint_type_from_string(s);

        return endpoint_type_is((int) t, end) ? (int) t : -EOPNOTSUPP;
}

static int source_type(const char *s) {
        return type_at(s, ENDPOINT_SOURCE);
}

static int destination_type(const char *s) {
        return type_at(s, ENDPOINT_DESTINATION);
}

static int source_format(const char *s) {
        DiskFormat f = disk_format_from_string(s);

        return f == FORMAT_PROBE || disk_format_has((int) f, FORMAT_IS_SOURCE) ? (int) f : -EOPNOTSUPP;
}

static int destination_format(const char *s) {
        DiskFormat f = disk_format_from_string(s);

        return disk_format_has((int) f, FORMAT_IS_DESTINATION) ? (int) f : -EOPNOTSUPP;
}

static int verify(const char *s) {
        return job_verify_from_string(s);
}

static int kind(const char *s) {
        return job_kind_from_string(s);
}

static int in_use(const char *s) {
        return job_in_use_from_string(s);
}

static int chain(const char *s) {
        return job_chain_from_string(s);
}

static int compression(const char *s) {
        return job_compression_from_string(s);
}

static int initramfs(const char *s) {
        return job_initramfs_from_string(s);
}

static int relabel(const char *s) {
        return job_relabel_from_string(s);
}

static int conversion_method(const char *s) {
        return vsphere_method_from_string(s);
}

static int source_power(const char *s) {
        return vsphere_power_from_string(s);
}

static int disk_bus(const char *s) {
        return vm_bus_from_string(s);
}

static int executor(const char *s) {
        return streq(s, "auto") ? JOB_EXECUTOR_AUTO : streq(s, "slurm") ? JOB_EXECUTOR_SLURM : -EINVAL;
}

/* clang-format off */
#define ENDPOINT_FIELDS \
        {"path", JSON_FIELD_STRING, offsetof(JobEndpoint, path), .flags = JSON_NULLABLE}, \
        {"uri", JSON_FIELD_STRING, offsetof(JobEndpoint, uri), .flags = JSON_NULLABLE, .max = 8192}, \
        {"tls_certificates", JSON_FIELD_STRING, offsetof(JobEndpoint, tls_certificates), \
                        .flags = JSON_NULLABLE}, \
        {"tls_psk", JSON_FIELD_KNOWN}

#define VSPHERE_FIELD(key, member, ...) \
        {key, JSON_FIELD_STRING, offsetof(JobEndpoint, vsphere.member), .flags = JSON_NULLABLE, __VA_ARGS__}
#define VSPHERE_FIELDS \
        VSPHERE_FIELD("name", name), \
        VSPHERE_FIELD("vcenter_url", url), \
        VSPHERE_FIELD("username", username, .max = 256), \
        {"password", JSON_FIELD_KNOWN}, \
        VSPHERE_FIELD("ca", ca, .max = VSPHERE_CA_MAX), \
        VSPHERE_FIELD("thumbprint", thumbprint, .max = 128), \
        VSPHERE_FIELD("datacenter", datacenter), \
        VSPHERE_FIELD("vm_path", vm_path), \
        VSPHERE_FIELD("vm_uuid", vm_uuid)

#define KVM_FIELDS \
        {"libvirt_uri", JSON_FIELD_STRING, offsetof(JobEndpoint, kvm.uri), .flags = JSON_NULLABLE}, \
        {"pool", JSON_FIELD_STRING, offsetof(JobEndpoint, kvm.pool), .flags = JSON_NULLABLE}, \
        {"name", JSON_FIELD_STRING, offsetof(JobEndpoint, kvm.name), .flags = JSON_NULLABLE}, \
        {"directory", JSON_FIELD_STRING, offsetof(JobEndpoint, kvm.directory), .flags = JSON_NULLABLE}, \
        {"network_map", JSON_FIELD_ANY, offsetof(JobEndpoint, kvm.network_map), .flags = JSON_NULLABLE}, \
        {"hardware", JSON_FIELD_ANY, offsetof(JobEndpoint, kvm.hardware), .flags = JSON_NULLABLE}, \
        {"disk_bus", JSON_FIELD_ENUM, offsetof(JobEndpoint, kvm.disk_bus), .flags = JSON_NULLABLE, \
                        .from_string = disk_bus, .expected = "virtio, scsi, sata, ide"}, \
        {"nic_model", JSON_FIELD_STRING, offsetof(JobEndpoint, kvm.nic_model), .flags = JSON_NULLABLE}, \
        {"start", JSON_FIELD_BOOLEAN, offsetof(JobEndpoint, kvm.start), .flags = JSON_NULLABLE}
/* clang-format on */

static const JsonField source_fields[] = {
        { "type", JSON_FIELD_ENUM, offsetof(JobEndpoint, type), .flags = JSON_REQUIRED | JSON_BUILT_IN,
                        .from_string = source_type, .expected = "file, nbd, vsphere" },
        ENDPOINT_FIELDS,
        VSPHERE_FIELDS,
        { "format", JSON_FIELD_ENUM, offsetof(JobEndpoint, format), .flags = JSON_NULLABLE | JSON_BUILT_IN,
                        .from_string = source_format,
                        .expected = "raw, qcow2, vmdk, vdi, vhd, vhdx, parallels, ova, ovf",
                        .aliases = "vpc" },
        { "checksum", JSON_FIELD_STRING, offsetof(JobEndpoint, checksum), .flags = JSON_NULLABLE },
        { "further_disks", JSON_FIELD_STRV, offsetof(JobEndpoint, further_disks), .flags = JSON_NULLABLE },
        {},
};

static const JsonField destination_fields[] = {
        { "type", JSON_FIELD_ENUM, offsetof(JobEndpoint, type), .flags = JSON_REQUIRED | JSON_BUILT_IN,
                        .from_string = destination_type, .expected = "file, nbd, kvm" },
        ENDPOINT_FIELDS,
        KVM_FIELDS,
        { "format", JSON_FIELD_ENUM, offsetof(JobEndpoint, format), .flags = JSON_NULLABLE | JSON_BUILT_IN,
                        .from_string = destination_format, .expected = "qcow2, raw, vmdk, ova, ovf" },
        {},
};

static const JsonField parameter_fields[] = {
        { "kind", JSON_FIELD_ENUM, offsetof(JobSpec, parameters.kind), .flags = JSON_NULLABLE,
                        .from_string = kind, .expected = "convert, export, migration" },
        { "compress", JSON_FIELD_BOOLEAN, offsetof(JobSpec, parameters.compress), .flags = JSON_NULLABLE },
        { "compression", JSON_FIELD_ENUM, offsetof(JobSpec, parameters.compression), .flags = JSON_NULLABLE,
                        .from_string = compression, .expected = "zlib, zstd" },
        { "verify", JSON_FIELD_SWITCH, offsetof(JobSpec, parameters.verify), .flags = JSON_NULLABLE,
                        .from_string = verify, .expected = "full, precopy, cutover, none" },
        { "in_use", JSON_FIELD_ENUM, offsetof(JobSpec, parameters.in_use), .flags = JSON_NULLABLE,
                        .from_string = in_use, .expected = "refuse, allow" },
        { "chain", JSON_FIELD_ENUM, offsetof(JobSpec, parameters.chain), .flags = JSON_NULLABLE,
                        .from_string = chain, .expected = "refuse, flatten" },
        { "allow_larger", JSON_FIELD_BOOLEAN, offsetof(JobSpec, parameters.allow_larger),
                        .flags = JSON_NULLABLE },
        { "fix", JSON_FIELD_ANY, offsetof(JobSpec, parameters.fix_words), .flags = JSON_NULLABLE },
        { "root", JSON_FIELD_STRING, offsetof(JobSpec, parameters.root),
                        .flags = JSON_NULLABLE | JSON_NONEMPTY, .max = 256 },
        { "luks_keys", JSON_FIELD_KNOWN },
        { "method", JSON_FIELD_ENUM, offsetof(JobSpec, parameters.method), .flags = JSON_NULLABLE,
                        .from_string = initramfs, .expected = "append, native" },
        { "relabel", JSON_FIELD_ENUM, offsetof(JobSpec, parameters.relabel), .flags = JSON_NULLABLE,
                        .from_string = relabel, .expected = "changed, full, firstboot" },
        { "boot_check", JSON_FIELD_BOOLEAN, offsetof(JobSpec, parameters.boot_check),
                        .flags = JSON_NULLABLE },
        { "boot_timeout_seconds", JSON_FIELD_UNSIGNED, offsetof(JobSpec, parameters.boot_timeout),
                        .flags = JSON_NULLABLE, .min = 1, .max = JOB_BOOT_TIMEOUT_MAX },
        { "dry_run", JSON_FIELD_BOOLEAN, offsetof(JobSpec, parameters.dry_run), .flags = JSON_NULLABLE },
        { "force", JSON_FIELD_BOOLEAN, offsetof(JobSpec, parameters.force), .flags = JSON_NULLABLE },
        { "conversion_method", JSON_FIELD_ENUM, offsetof(JobSpec, parameters.conversion_method),
                        .flags = JSON_NULLABLE | JSON_BUILT_IN, .from_string = conversion_method,
                        .expected = "auto, vddk, nfc, https" },
        { "source_power", JSON_FIELD_ENUM, offsetof(JobSpec, parameters.source_power),
                        .flags = JSON_NULLABLE, .from_string = source_power,
                        .expected = "keep, shutdown, poweroff", .aliases = "off" },
        { "shutdown_timeout_seconds", JSON_FIELD_UNSIGNED, offsetof(JobSpec, parameters.shutdown_timeout),
                        .flags = JSON_NULLABLE, .min = 1, .max = VSPHERE_SHUTDOWN_TIMEOUT_MAX },
        { "power_off", JSON_FIELD_BOOLEAN, offsetof(JobSpec, parameters.power_off), .flags = JSON_NULLABLE },
        { "warm", JSON_FIELD_BOOLEAN, offsetof(JobSpec, parameters.warm), .flags = JSON_NULLABLE },
        { "cutover", JSON_FIELD_STRING, offsetof(JobSpec, parameters.cutover), .flags = JSON_NULLABLE },
        { "interval_seconds", JSON_FIELD_UNSIGNED, offsetof(JobSpec, parameters.interval_seconds),
                        .flags = JSON_NULLABLE, .min = WARM_INTERVAL_MIN, .max = WARM_INTERVAL_MAX },
        { "power_on_after_failure", JSON_FIELD_BOOLEAN, offsetof(JobSpec, parameters.power_on_after_failure),
                        .flags = JSON_NULLABLE },
        {},
};

static const JsonField policy_fields[] = {
        { "timeout_seconds", JSON_FIELD_UNSIGNED, offsetof(JobSpec, policy.timeout_seconds),
                        JSON_NULLABLE | JSON_OR_ZERO, JOB_TIMEOUT_MIN, JOB_TIMEOUT_MAX },
        { "retry_count", JSON_FIELD_UNSIGNED, offsetof(JobSpec, policy.retry_count), JSON_NULLABLE, 0,
                        JOB_RETRY_MAX },
        { "priority", JSON_FIELD_UNSIGNED, offsetof(JobSpec, policy.priority), JSON_NULLABLE, 0,
                        JOB_PRIORITY_MAX },
        { "idempotent", JSON_FIELD_BOOLEAN, offsetof(JobSpec, policy.idempotent), .flags = JSON_NULLABLE },
        {},
};

static const JsonField placement_fields[] = {
        { "all", JSON_FIELD_STRV, offsetof(JobSpec, placement.all), .flags = JSON_NULLABLE },
        { "none", JSON_FIELD_STRV, offsetof(JobSpec, placement.none), .flags = JSON_NULLABLE },
        { "preferred", JSON_FIELD_STRV, offsetof(JobSpec, placement.preferred), .flags = JSON_NULLABLE },
        {},
};

const JsonField job_fields[] = {
        { "job_id", JSON_FIELD_STRING, offsetof(JobSpec, job_id), .flags = JSON_NULLABLE },
        { "operation", JSON_FIELD_ENUM, offsetof(JobSpec, operation), .flags = JSON_REQUIRED,
                        .from_string = operation,
                        .expected = "convert, inspect, offline_fix, boot_repair, selinux_prep, lvm_repair, "
                                    "fs_repair, initramfs_regenerate" },
        { "source", JSON_FIELD_OBJECT, offsetof(JobSpec, source), .flags = JSON_REQUIRED,
                        .nested = source_fields },
        /* A conversion must have one; the other operations work on the source itself. */
        { "destination", JSON_FIELD_OBJECT, offsetof(JobSpec, destination), .flags = JSON_NULLABLE,
                        .nested = destination_fields },
        /* These have no struct type of their own: their offsets count from the spec. */
        { "parameters", JSON_FIELD_OBJECT, 0, .flags = JSON_NULLABLE, .nested = parameter_fields },
        { "execution_policy", JSON_FIELD_OBJECT, 0, .flags = JSON_NULLABLE, .nested = policy_fields },
        { "carbon", JSON_FIELD_OBJECT, 0, .flags = JSON_NULLABLE, .nested = carbon_spec_fields },
        { "executor", JSON_FIELD_ENUM, offsetof(JobSpec, executor), .flags = JSON_NULLABLE,
                        .from_string = executor, .expected = "auto, slurm" },
        { "placement", JSON_FIELD_OBJECT, 0, .flags = JSON_NULLABLE, .nested = placement_fields },
        { "limits", JSON_FIELD_STRV, offsetof(JobSpec, limits), .flags = JSON_NULLABLE },
        { "audit_info", JSON_FIELD_KNOWN_OBJECT, .flags = JSON_NULLABLE },
        { "capability_requirements", JSON_FIELD_KNOWN_OBJECT, .flags = JSON_NULLABLE },
        {},
};

const JsonField *job_field(const char *path) {
        const JsonField *f = job_fields;

        while (f) {
                size_t n = strcspn(path, ".");

                while (f->key && (strncmp(f->key, path, n) != 0 || f->key[n] != '\0'))
                        f++;
                if (!f->key)
                        return NULL;
                if (path[n] == '\0')
                        return f;
                path += n + 1;
                f = f->nested;
        }
        return NULL;
}
