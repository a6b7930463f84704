/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/job-spec.h"
#include "basic/string-util.h"
#include "spec/job-guest.h"
#include "spec/job-misplaced.h"
#include "spec/job-secrets.h"
#include "spec/vsphere-server.h"
#include "spec/warm-spec.h"
#include "json/json-parse.h"

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

static const JsonField spec_fields[] = {
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
        /* These two have no struct type of their own: their offsets count from the spec. */
        { "parameters", JSON_FIELD_OBJECT, 0, .flags = JSON_NULLABLE, .nested = parameter_fields },
        { "execution_policy", JSON_FIELD_OBJECT, 0, .flags = JSON_NULLABLE, .nested = policy_fields },
        { "audit_info", JSON_FIELD_KNOWN_OBJECT, .flags = JSON_NULLABLE },
        { "capability_requirements", JSON_FIELD_KNOWN_OBJECT, .flags = JSON_NULLABLE },
        {},
};

const JsonField *job_spec_field(const char *path) {
        const JsonField *f = spec_fields;

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

JobSpec *job_spec_free(JobSpec *s) {
        if (!s)
                return NULL;
        json_table_done(spec_fields, s);
        json_decref(s->audit_info);
        json_decref(s->capability_requirements);
        json_decref(s->document);
        json_decref(s->secrets);
        return mfree(s);
}

static JobSpec *job_spec_new(void) {
        JobSpec *s = new0(JobSpec, 1);

        if (!s)
                return NULL;
        s->operation = _OPERATION_INVALID;
        s->source.type = s->destination.type = _ENDPOINT_INVALID;
        s->source.format = s->destination.format = FORMAT_PROBE;
        s->policy.retry_count = JOB_RETRY_DEFAULT;
        s->policy.priority = JOB_PRIORITY_DEFAULT;
        s->parameters.shutdown_timeout = VSPHERE_SHUTDOWN_TIMEOUT_DEFAULT;
        s->parameters.interval_seconds = WARM_INTERVAL_DEFAULT;
        s->parameters.power_on_after_failure = true;
        s->policy.idempotent = true; /* an output appears only when complete: doing it twice does no harm */
        return s;
}

static int check_checksum(JobSpec *s, JsonErrors *errors) {
        const char *hex;

        if (!s->source.checksum)
                return 0;
        for (char *p = s->source.checksum; *p; p++)
                if (*p >= 'A' && *p <= 'Z')
                        *p += 'a' - 'A';
        hex = startswith(s->source.checksum, "sha256:");
        if (!hex || strlen(hex) != 64 || strspn(hex, "0123456789abcdef") != 64)
                return json_errors_add(
                                errors, "source.checksum", "must be \"sha256:\" and 64 hexadecimal digits");
        return 0;
}

static DiskFormat default_format(const JobEndpoint *destination) {
        const EndpointKind *kind = endpoint_kind(destination->type);
        DiskFormat f = destination->path ? disk_format_from_name(destination->path) : FORMAT_PROBE;

        if ((kind && kind->one_raw_disk) || !destination->path)
                return FORMAT_RAW;
        return disk_format_has((int) f, FORMAT_IS_DESTINATION) ? f : FORMAT_QCOW2;
}

/* What programs that read a package find it by. (A name without an extension may be that of a directory.) */
static int check_package_name(const JobSpec *s, JsonErrors *errors) {
        const DiskFormatRow *format = disk_format(s->destination.format);
        DiskFormat named = s->destination.path ? disk_format_from_name(s->destination.path) : FORMAT_PROBE;

        if (!format || !(format->flags & FORMAT_IS_PACKAGE) || named == FORMAT_PROBE ||
                        (int) named == s->destination.format)
                return 0;
        return json_errors_add(errors, "destination.path", "must end in .%s for destination.format \"%s\"",
                        format->name, format->name);
}

/* What the domain is called if nothing is said: "web" of "/srv/web.ova". NULL if there is no name. */
static char *source_name(const JobSpec *s) {
        const char *name = s->source.type == ENDPOINT_VSPHERE
                        ? vsphere_file_name(strempty(s->source.vsphere.vm_path))
                        : NULL;

        if (name)
                return strdup(name);
        if (s->source.type != ENDPOINT_FILE || !s->source.path || !strrchr(s->source.path, '/'))
                return NULL;
        const char *base = strrchr(s->source.path, '/') + 1, *dot = strrchr(base, '.');
        return strndup(base, dot && dot != base ? (size_t) (dot - base) : strlen(base));
}

static int check_kvm_destination(JobSpec *s, JsonErrors *errors) {
        _cleanup_free_ char *name = source_name(s);
        JobEndpoint *d = &s->destination;

        if (s->source.type == ENDPOINT_FILE && !name)
                return 0; /* of a path that is wrong is told */
        /* Two machines with one MAC address and one IP address. */
        if (d->kvm.start && s->source.type == ENDPOINT_VSPHERE && !s->parameters.warm &&
                        s->parameters.source_power == VSPHERE_POWER_KEEP)
                return json_errors_add(errors, "destination.start",
                                "must be false unless parameters.source_power is shutdown or poweroff, or "
                                "parameters.warm is true: the source may be running");
        if (d->format == FORMAT_PROBE)
                d->format = d->path && disk_format_from_name(d->path) == FORMAT_RAW ? FORMAT_RAW
                                                                                    : FORMAT_QCOW2;
        if (d->format != FORMAT_QCOW2 && d->format != FORMAT_RAW)
                return json_errors_add(
                                errors, "destination.format", "must be qcow2 or raw for type \"kvm\"");
        return kvm_spec_complete(
                        &d->kvm, name, disk_format_to_string((DiskFormat) d->format), &d->path, errors);
}

static int check_destination(JobSpec *s, JsonErrors *errors) {
        const EndpointKind *kind = endpoint_kind(s->destination.type);

        if (s->destination.type == ENDPOINT_KVM)
                return check_kvm_destination(s, errors);
        if (s->destination.format == FORMAT_PROBE)
                s->destination.format = (int) default_format(&s->destination);
        if (kind && kind->one_raw_disk && s->destination.format != FORMAT_RAW)
                return json_errors_add(errors, "destination.format",
                                "must be raw for type \"%s\": the server decides how it stores what it is "
                                "given",
                                kind->name);
        return check_package_name(s, errors);
}

static int check_same(const JobSpec *s, JsonErrors *errors) {
        const char *source = endpoint_identity(&s->source),
                   *destination = endpoint_identity(&s->destination);

        if (s->source.type != s->destination.type || !source || !streq_ptr(source, destination))
                return 0;
        _cleanup_free_ char *field = strprintf("destination.%s", endpoint_field(&s->destination));
        return field ? json_errors_add(errors, field, "must not be the source itself") : -ENOMEM;
}

/* What fields must be to each other. */
static int check_combinations(JobSpec *s, bool has_destination, JsonErrors *errors) {
        const EndpointKind *source = endpoint_kind(s->source.type);
        bool needed = s->operation < 0 || job_operation_has(s->operation, OPERATION_NEEDS_DESTINATION);
        int r = 0;

        if (has_destination)
                r = check_destination(s, errors);
        else if (needed)
                r = json_errors_add(errors, "destination", "must be given");
        if (r >= 0 && source && source->one_raw_disk && disk_format_has(s->source.format, FORMAT_IS_PACKAGE))
                r = json_errors_add(errors, "source.format", "must not be %s for type \"%s\"",
                                disk_format_to_string((DiskFormat) s->source.format), source->name);
        bool can_compress = disk_format_has(s->destination.format, FORMAT_CAN_COMPRESS) ||
                        disk_format_has(s->destination.format, FORMAT_IS_COMPRESSED);
        if (r >= 0 && s->parameters.compress && !can_compress)
                r = json_errors_add(errors, "parameters.compress",
                                "must be false unless destination.format is qcow2, ova or ovf");
        return r < 0 ? r : check_same(s, errors);
}

static int check_compression(const JobSpec *s, json_t *parameters, JsonErrors *errors) {
        if (s->parameters.compression == JOB_COMPRESSION_NONE)
                return 0;
        if (!disk_format_has(s->destination.format, FORMAT_CAN_COMPRESS))
                return json_errors_add(errors, "parameters.compression",
                                "must not be given unless destination.format is qcow2");
        if (json_is_false(json_object_get(parameters, "compress")))
                return json_errors_add(errors, "parameters.compress",
                                "must not be false if parameters.compression is given");
        return 0;
}

/* How a virtual machine is treated is said of one only. */
static int check_vsphere_parameters(const JobSpec *s, json_t *parameters, JsonErrors *errors) {
        bool shuts_down = s->parameters.source_power == VSPHERE_POWER_SHUTDOWN || s->parameters.warm;
        const struct {
                const char *key;
                bool given, used;
        } fields[] = {
                { "conversion_method", s->parameters.conversion_method != VSPHERE_METHOD_AUTO, true },
                { "source_power", s->parameters.source_power != VSPHERE_POWER_KEEP, true },
                { "shutdown_timeout_seconds",
                                json_is_integer(json_object_get(parameters, "shutdown_timeout_seconds")),
                                shuts_down },
                { "power_off", s->parameters.power_off, shuts_down },
        };
        bool vsphere = s->source.type == ENDPOINT_VSPHERE;
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(fields) && r >= 0 && s->source.type >= 0; i++) {
                if (!fields[i].given || (vsphere && fields[i].used))
                        continue;
                _cleanup_free_ char *path = strprintf("parameters.%s", fields[i].key);
                r = !path ? -ENOMEM
                          : json_errors_add(errors, path, "must not be given unless %s",
                                            vsphere ? "source_power is \"shutdown\" or warm is true"
                                                    : "the source is of type \"vsphere\"");
        }
        return r;
}

static int check_spec(JobSpec *s, json_t *object, JsonErrors *errors) {
        json_t *destination = json_object_get(object, "destination");
        int r = 0;

        if (s->job_id && !job_id_is_valid(s->job_id))
                r = json_errors_add(errors, "job_id",
                                "must be 1 to 128 letters, digits, \".\", \"_\", \":\" and \"-\" (at most "
                                "36), "
                                "the first a letter or digit");
        if (r >= 0)
                r = job_endpoint_check(&s->source, json_object_get(object, "source"), false, errors);
        if (r >= 0)
                r = job_endpoint_check(&s->destination, destination, true, errors);
        if (r >= 0)
                r = check_checksum(s, errors);
        if (r >= 0)
                r = check_combinations(s, destination && !json_is_null(destination), errors);
        if (r >= 0)
                r = check_compression(s, json_object_get(object, "parameters"), errors);
        if (r >= 0)
                r = job_guest_check(s, json_object_get(object, "parameters"), errors);
        if (r >= 0)
                r = kvm_boot_check(s->destination.type == ENDPOINT_KVM &&
                                                !kvm_spec_is_remote(&s->destination.kvm),
                                s->parameters.boot_check, s->parameters.boot_timeout, errors);
        if (r >= 0)
                r = check_vsphere_parameters(s, json_object_get(object, "parameters"), errors);
        return r < 0 ? r : warm_spec_check(s, json_object_get(object, "parameters"), errors);
}

/* Whatever people wrote down for themselves; taken from the document, where it is without secrets. */
static void take_object(json_t *document, const char *key, json_t **p) {
        json_t *value = json_object_get(document, key);

        if (json_is_object(value)) /* what is not has been told by the table */
                *p = json_incref(value);
}

static void drop_nulls(json_t *object) {
        const char *key;
        json_t *value;
        void *next;

        json_object_foreach_safe(object, next, key, value) if (json_is_null(value))
                        json_object_del(object, key);
}

static json_t *section_of(json_t *document, const char *key) {
        json_t *section = json_object_get(document, key);

        if (!section && json_object_set_new(document, key, json_object()) == 0)
                section = json_object_get(document, key);
        return section;
}

/* What is rarely asked for is in the document only if it was. */
static void fill_exceptions(const JobSpec *s, json_t *parameters) {
        if (s->parameters.in_use == IN_USE_REFUSE)
                (void) json_object_del(parameters, "in_use");
        if (s->parameters.compression != JOB_COMPRESSION_ZSTD)
                (void) json_object_del(parameters, "compression");
        if (s->parameters.chain == CHAIN_REFUSE)
                (void) json_object_del(parameters, "chain");
        if (!s->parameters.allow_larger)
                (void) json_object_del(parameters, "allow_larger");
        if (s->parameters.fix == 0 && s->destination.type != ENDPOINT_KVM)
                (void) json_object_del(parameters, "fix");
        if (s->parameters.method == INITRAMFS_APPEND)
                (void) json_object_del(parameters, "method");
        if (s->parameters.relabel == RELABEL_CHANGED)
                (void) json_object_del(parameters, "relabel");
        if (!s->parameters.boot_check)
                (void) json_object_del(parameters, "boot_check");
        if (!s->parameters.dry_run)
                (void) json_object_del(parameters, "dry_run");
        if (!s->parameters.force)
                (void) json_object_del(parameters, "force");
        if (s->parameters.conversion_method == VSPHERE_METHOD_AUTO)
                (void) json_object_del(parameters, "conversion_method");
        if (s->parameters.source_power == VSPHERE_POWER_KEEP)
                (void) json_object_del(parameters, "source_power");
        if (!s->parameters.power_off)
                (void) json_object_del(parameters, "power_off");
}

static int fill_kvm(const JobSpec *s, json_t *destination, json_t *parameters) {
        const JobEndpoint *e = &s->destination;

        (void) json_object_del(destination, "directory");
        if (!kvm_spec_is_remote(&e->kvm))
                (void) json_object_del(destination, "libvirt_uri"); /* the default */
        else if (json_object_set_new(destination, "pool", json_string(e->kvm.pool)) < 0)
                return -1;
        if (!e->kvm.start)
                (void) json_object_del(destination, "start");
        /* Here, the default is another one. */
        if (s->operation == OPERATION_CONVERT &&
                        json_object_set_new(parameters, "fix", job_fix_to_json(s->parameters.fix)) < 0)
                return -ENOMEM;
        if (e->kvm.pool && !kvm_spec_is_remote(&e->kvm)) /* the path is not known yet */
                return json_object_set_new(destination, "name", json_string(e->kvm.name));
        return json_object_set_new(destination, "path", json_string(e->path)) |
                        json_object_set_new(destination, "name", json_string(e->kvm.name));
}

/* One form for the same thing: null is not given, what is not given is the default. */
static int fill_document(JobSpec *s) {
        static const char *const sections[] = { "source", "destination", "parameters", "execution_policy" };
        json_t *parameters, *policy, *source;
        int failed = 0;

        drop_nulls(s->document);
        for (size_t i = 0; i < ELEMENTSOF(sections); i++)
                drop_nulls(json_object_get(s->document, sections[i]));
        source = section_of(s->document, "source");
        parameters = section_of(s->document, "parameters");
        policy = section_of(s->document, "execution_policy");

        if (vsphere_spec_normalize(&s->source.vsphere, source) < 0)
                return -ENOMEM;
        if (s->source.format != FORMAT_PROBE)
                failed |= json_object_set_new(
                                source, "format", json_string(disk_format_to_string(s->source.format)));
        if (s->source.checksum)
                failed |= json_object_set_new(source, "checksum", json_string(s->source.checksum));
        if (job_spec_has_destination(s))
                failed |= json_object_set_new(section_of(s->document, "destination"), "format",
                                json_string(disk_format_to_string(s->destination.format)));
        if (s->destination.type == ENDPOINT_KVM)
                failed |= fill_kvm(s, json_object_get(s->document, "destination"), parameters);
        failed |= json_object_set_new(parameters, "compress", json_boolean(s->parameters.compress));
        failed |= json_object_set_new(parameters, "verify",
                        s->parameters.verify == VERIFY_FULL ? json_string("full")
                                                            : json_boolean(s->parameters.verify));
        fill_exceptions(s, parameters);
        failed |= warm_spec_fill(s, parameters);
        if (s->policy.timeout_seconds == 0) /* no limit */
                (void) json_object_del(policy, "timeout_seconds");
        failed |= json_object_set_new(policy, "retry_count", json_integer(s->policy.retry_count));
        failed |= json_object_set_new(policy, "priority", json_integer(s->policy.priority));
        failed |= json_object_set_new(policy, "idempotent", json_boolean(s->policy.idempotent));
        return failed ? -ENOMEM : 0;
}

static char *own_name(_unused_ void *userdata, const char *canonical) {
        return strdup(canonical);
}

int job_spec_from_json(json_t *object, JobSpec **ret, JsonErrors *errors) {
        _cleanup_(job_spec_freep) JobSpec *s = job_spec_new();
        size_t before = errors->n_errors;
        int r;

        if (!s)
                return -ENOMEM;
        r = json_table_decode(spec_fields, object, "", s, errors);
        if (r >= 0)
                r = job_misplaced_check(errors, own_name, NULL);
        if (r >= 0)
                r = check_spec(s, object, errors);
        if (r >= 0 && json_is_object(object))
                r = job_secrets_cut(object, &s->document, &s->secrets, errors);
        if (r < 0)
                return r;
        take_object(s->document, "audit_info", &s->audit_info);
        take_object(s->document, "capability_requirements", &s->capability_requirements);
        if (errors->n_errors > before || before >= JSON_ERRORS_MAX)
                return -EBADMSG;
        if (s->parameters.compression != JOB_COMPRESSION_NONE)
                s->parameters.compress = true;
        r = fill_document(s);
        if (r < 0)
                return r;
        if (s->parameters.compress && s->parameters.compression == JOB_COMPRESSION_NONE)
                s->parameters.compression = JOB_COMPRESSION_ZLIB;
        *ret = TAKE_PTR(s);
        return 0;
}

int job_spec_parse(const char *text, size_t size, JobSpec **ret, JsonErrors *errors) {
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *error = NULL;
        int r;

        if (size > JOB_SPEC_MAX)
                r = json_errors_add(errors, "", "the spec must be at most %zu bytes long", JOB_SPEC_MAX);
        else {
                r = json_parse_object(text, size, &object, &error);
                if (r >= 0)
                        return job_spec_from_json(object, ret, errors);
                if (r == -EBADMSG)
                        r = json_errors_add(errors, "", "the spec is no JSON object: %s", error);
        }
        return r < 0 ? r : -EBADMSG;
}

bool job_spec_equal(const JobSpec *a, const JobSpec *b) {
        return json_equal(a->document, b->document);
}

const char *job_spec_server(const JobSpec *s) {
        return s->source.type == ENDPOINT_VSPHERE ? s->source.vsphere.url : NULL;
}

int job_spec_set_id(JobSpec *s, const char *id) {
        if (!job_id_is_valid(id))
                return -EINVAL;
        if (json_object_set_new(s->document, "job_id", json_string(id)) < 0)
                return -ENOMEM;
        return free_and_strdup(&s->job_id, id);
}
