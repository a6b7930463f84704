/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-job-decode.h"

#include "api/openapi/dialect-schema.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "dialect/carbon-metadata.h"
#include "dialect/dialect-complete.h"
#include "json/json-table.h"

#define LABEL_MAX 80u

/* Fields with a description that the canonical spec does not have, or that are special: see below. */
const FieldMap v1_job_fields[] = {
        { "id", "job_id", FIELD_SHOWN, "Default: job- and 12 hexadecimal digits." },
        { "type", NULL, 0, "export, migration, convert, or an operation of the worker API." },
        { "provider", NULL, 0, "vsphere, local or nbd; default local if a source file is named." },
        { "provider_id", "source.name", FIELD_SHOWN, "Required if there are several of this provider." },
        { "vm_name", NULL, 0,
                        "The name, inventory path or UUID of the machine; of a file, a name for the "
                        "output." },
        { "upload_id", NULL, 0, "Of a finished upload, instead of source_path." },
        { "source_path", "source.path", FIELD_SHOWN, "An image or package on this machine." },
        { "vm_path", NULL, 0, "The same as source_path; of vSphere, as vm_name." },
        { "disk_path", "source.path", 0, "The same as source_path." },
        { "source.path", "source.path", 0, "The same as source_path." },
        { "source.uri", "source.uri", FIELD_SHOWN, "The URI of an NBD server." },
        { "source.format", "source.format", FIELD_SHOWN, NULL },
        { "source.checksum", "source.checksum", FIELD_SHOWN, NULL },
        { "source.tls_certificates", "source.tls_certificates", FIELD_SHOWN, NULL },
        { "source.tls_psk", "source.tls_psk", 0, NULL },
        { "source.datacenter", "source.datacenter", FIELD_SHOWN, NULL },

        { "format", "destination.format", FIELD_SHOWN, "Default: ova for export, else qcow2." },
        { "options.destination", "destination.path", FIELD_SHOWN,
                        "A file, or, if it ends in /, a directory; default " V1_EXPORTS },
        { "destination", "destination.path", 0, "The same as options.destination." },
        { "options.include_snapshots", NULL, 0, "Must be false." },
        { "options.compress", "parameters.compress", FIELD_SHOWN, NULL },
        { "options.compression", "parameters.compression", FIELD_SHOWN, NULL },
        { "options.verify", "parameters.verify", FIELD_SHOWN, "Default: true for migration." },
        { "options.fix_guest", "parameters.fix", FIELD_SHOWN, "Default: true for migration." },
        { "options.source_power", "parameters.source_power", FIELD_SHOWN, NULL },
        { "options.shutdown_timeout_seconds", "parameters.shutdown_timeout_seconds", FIELD_SHOWN, NULL },
        { "options.power_off", "parameters.power_off", FIELD_SHOWN, NULL },
        { "options.conversion_method", "parameters.conversion_method", FIELD_SHOWN, NULL },
        { "options.warm", "parameters.warm", FIELD_SHOWN, NULL },
        { "options.cutover", "parameters.cutover", FIELD_SHOWN, NULL },
        { "options.interval_seconds", "parameters.interval_seconds", FIELD_SHOWN, NULL },
        { "options.power_on_after_failure", "parameters.power_on_after_failure", FIELD_SHOWN, NULL },
        { "options.in_use", "parameters.in_use", FIELD_SHOWN, NULL },
        { "options.chain", "parameters.chain", FIELD_SHOWN, NULL },
        { "options.boot_check", "parameters.boot_check", FIELD_SHOWN, NULL },
        { "options.boot_timeout_seconds", "parameters.boot_timeout_seconds", FIELD_SHOWN, NULL },
        { "options.dry_run", "parameters.dry_run", FIELD_SHOWN, NULL },
        { "options.force", "parameters.force", FIELD_SHOWN, NULL },
        { "options.root", "parameters.root", FIELD_SHOWN, NULL },
        { "options.luks_keys", "parameters.luks_keys", 0, NULL },
        { "options.network_map", "destination.network_map", FIELD_SHOWN,
                        "Networks of the source, and the ones of libvirt instead." },
        { "options.deploy", NULL, 0,
                        "Of a migration: true or an object (name, start, cpu, memory_mb, firmware, bus, "
                        "nic_model) to define the machine on libvirt." },
        { "carbon", "carbon", FIELD_SHOWN,
                        "Wait for a low carbon intensity: max_intensity, max_delay or deadline, "
                        "duration_minutes, on_missing, zone." },

        { "priority", "execution_policy.priority", FIELD_SHOWN, NULL },
        { "options.priority", "execution_policy.priority", 0, NULL },
        { "execution_policy.priority", "execution_policy.priority", 0, NULL },
        { "retry_count", "execution_policy.retry_count", FIELD_SHOWN, NULL },
        { "options.retry_count", "execution_policy.retry_count", 0, NULL },
        { "execution_policy.retry_count", "execution_policy.retry_count", 0, NULL },
        { "timeout_seconds", "execution_policy.timeout_seconds", FIELD_SHOWN, NULL },
        { "options.timeout_seconds", "execution_policy.timeout_seconds", 0, NULL },
        { "execution_policy.timeout_seconds", "execution_policy.timeout_seconds", 0, NULL },
        { "audit_info", "audit_info", FIELD_SHOWN, NULL },
        {},
};

static json_t *make_schema(void) {
        return dialect_job_schema(v1_job_fields);
}
const Schema v1_job_body = { .name = "NewJob", .make = make_schema };

/* --- type and provider ----------------------------------------------------------------------------- */

typedef struct V1Job {
        Translation t;
        const V1JobContext *context;
        JobOperation operation;
        JobKind kind;
        int provider; /* EndpointType; _ENDPOINT_INVALID: it is wrong */
} V1Job;

/* A field of the request, or NULL; null is the same as not given. */
static json_t *given(const V1Job *j, const char *path) {
        json_t *value = json_path_get(j->t.request, path);

        return json_is_null(value) ? NULL : value;
}

/* Sets a canonical value that a field of the request gives in other words. */
static int put(V1Job *j, const char *canonical, json_t *value, const char *origin) {
        int r = translation_set(&j->t, canonical, value);

        if (r < 0)
                return r;
        return json_object_set_new(j->t.origins, canonical, json_string(origin)) < 0 ? -ENOMEM : 0;
}

static int take_type(V1Job *j) {
        json_t *value = given(j, "type");
        const char *word = json_string_value(value);
        JobKind kind = word ? job_kind_from_string(word) : _JOB_KIND_INVALID;
        JobOperation o = word ? job_operation_from_string(word) : _OPERATION_INVALID;
        int r = 0;

        j->kind = kind < 0 ? JOB_KIND_NONE : kind;
        j->operation = kind >= 0 ? OPERATION_CONVERT : o;
        if (j->operation < 0) {
                r = json_errors_add(j->t.errors, "type",
                                "must be one of export, migration, convert, inspect, offline_fix, "
                                "boot_repair, selinux_prep, lvm_repair, fs_repair, initramfs_regenerate");
                if (r >= 0)
                        r = translation_settle(&j->t, "destination");
                j->operation = OPERATION_INSPECT; /* of which nothing more is required */
        }
        if (r >= 0)
                r = put(j, "operation", json_string(job_operation_to_string(j->operation)), "type");
        if (r >= 0 && kind >= 0)
                r = put(j, "parameters.kind", json_string(job_kind_to_string(kind)), "type");
        return r;
}

static const struct {
        const char *name;
        EndpointType type;
} providers[] = {
        { "local", ENDPOINT_FILE },
        { "nbd", ENDPOINT_NBD },
        { "vsphere", ENDPOINT_VSPHERE },
};

static int provider_from_string(const char *s) {
        for (size_t i = 0; s && i < ELEMENTSOF(providers); i++)
                if (streq(providers[i].name, s))
                        return (int) providers[i].type;
        return _ENDPOINT_INVALID;
}

static bool names_file(const V1Job *j) {
        return j->context->upload_path || given(j, "vm_path") || translation_get(&j->t, "source.path");
}

static int take_provider(V1Job *j) {
        json_t *value = given(j, "provider");

        j->provider = !value && names_file(j) ? (int) ENDPOINT_FILE
                                              : provider_from_string(json_string_value(value));
        if (j->provider >= 0)
                return put(j, "source.type", json_string(endpoint_type_to_string(j->provider)), "provider");
        int r = json_errors_add(j->t.errors, "provider",
                        "must be one of the providers of this server: local, nbd, vsphere");
        return r < 0 ? r : translation_settle(&j->t, "source");
}

bool v1_job_needs_source(const json_t *object) {
        const json_t *id = json_object_get(object, "provider_id");

        return provider_from_string(json_string_value(json_object_get(object, "provider"))) ==
                        ENDPOINT_VSPHERE &&
                        (!id || json_is_null(id));
}

/* --- the source ------------------------------------------------------------------------------------ */

static bool is_uuid(const char *s) {
        static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
        size_t i = 0;

        for (; form[i]; i++)
                if (form[i] == 'x' ? !strchr("0123456789abcdefABCDEF", s[i]) || !s[i] : s[i] != '-')
                        return false;
        return s[i] == '\0';
}

static int take_machine(V1Job *j) {
        const char *field = given(j, "vm_name") ? "vm_name" : "vm_path",
                   *name = json_string_value(given(j, field));
        int r = 0;

        if (!translation_get(&j->t, "source.name") && j->context->source_name)
                r = translation_set(&j->t, "source.name", json_string(j->context->source_name));
        if (r < 0)
                return r;
        if (isempty(name)) {
                r = json_errors_add(j->t.errors, "vm_name", "must be the name of a virtual machine");
                if (r >= 0)
                        r = translation_settle(&j->t, "source");
                return r < 0 ? r : translation_settle(&j->t, "destination");
        }
        return put(j, is_uuid(name) ? "source.vm_uuid" : "source.vm_path", json_string(name), field);
}

/* A name for the output, if it is none of a file. */
static int take_label(V1Job *j) {
        json_t *value = given(j, "vm_name");
        const char *name = json_string_value(value);

        if (!value)
                return 0;
        if (isempty(name) || strlen(name) > LABEL_MAX || strchr(name, '/') || name[0] == '.' ||
                        utf8_has_control(name))
                return json_errors_add(j->t.errors, "vm_name",
                                "must have 1 to %u bytes, no \"/\", no control characters, and no dot at "
                                "the beginning",
                                LABEL_MAX);
        j->t.output_name = name;
        return 0;
}

static int take_file(V1Job *j) {
        json_t *there = translation_get(&j->t, "source.path");
        int r = 0;

        if (j->context->upload_path && (there || given(j, "vm_path")))
                return json_errors_add(j->t.errors, "upload_id", "must not be given with source_path");
        if (j->context->upload_path)
                return put(j, "source.path", json_string(j->context->upload_path), "upload_id");
        if (!there)
                return given(j, "vm_path") ? translation_take(&j->t, "vm_path", "source.path") : 0;
        if (given(j, "vm_path") && !json_equal(there, given(j, "vm_path")))
                r = json_errors_add(j->t.errors, "vm_path", "contradicts source_path: give one of them");
        return r;
}

static int take_source(V1Job *j) {
        int r = j->provider == ENDPOINT_VSPHERE ? take_machine(j) : take_label(j);

        if (r >= 0 && j->provider == ENDPOINT_FILE)
                r = take_file(j);
        return r;
}

/* --- the output ------------------------------------------------------------------------------------ */

static bool is_migration(const V1Job *j) {
        return j->kind == JOB_KIND_MIGRATION;
}

static bool is_package(const char *format) {
        return disk_format_has((int) disk_format_from_string(strempty(format)), FORMAT_IS_PACKAGE);
}

/* The format, where neither it nor the name of a file is given. */
static int complete_format(V1Job *j) {
        const char *path = translation_get_string(&j->t, "destination.path"),
                   *format = translation_get_string(&j->t, "destination.format");

        if (is_package(format) && j->kind != JOB_KIND_EXPORT)
                return translation_error(&j->t, "destination.format",
                                "must be qcow2, raw or vmdk unless type is export");
        if (translation_get(&j->t, "destination.format") ||
                        (path && !endswith(path, "/") && disk_format_from_name(path) != FORMAT_PROBE))
                return 0;
        return translation_set(&j->t, "destination.format",
                        json_string(j->kind == JOB_KIND_EXPORT ? "ova" : "qcow2"));
}

static bool wants_domain(const V1Job *j) {
        json_t *deploy = given(j, "options.deploy");

        return deploy && !json_is_false(deploy);
}

static int take_output(V1Job *j) {
        int r = 0;

        if (j->context->is_template)
                j->t.output_name = "{job_id}";
        /* Other operations change the source, unless there is a place for their output. The disks of a
         * domain are where libvirt has them. */
        if ((j->operation != OPERATION_CONVERT || wants_domain(j)) &&
                        !translation_get(&j->t, "destination.path"))
                return 0;
        if (!translation_get(&j->t, "destination.path"))
                r = translation_set(&j->t, "destination.path", json_string(V1_EXPORTS));
        if (r < 0)
                return r;
        return complete_format(j);
}

/* --- options --------------------------------------------------------------------------------------- */

/* What migrations do unless the client says otherwise. */
static int take_defaults(V1Job *j) {
        static const char *const fields[] = { "parameters.verify", "parameters.fix" };
        int r = 0;

        if (translation_is_settled(&j->t, "destination.format"))
                return 0; /* they depend on it */
        for (size_t i = 0; i < ELEMENTSOF(fields) && r >= 0 && is_migration(j); i++)
                if (!translation_get(&j->t, fields[i]))
                        r = translation_set(&j->t, fields[i], json_true());
        return r;
}

static int check_options(V1Job *j) {
        json_t *snapshots = given(j, "options.include_snapshots"), *fix = given(j, "options.fix_guest");
        int r = 0;

        if (snapshots && !json_is_false(snapshots))
                r = json_errors_add(j->t.errors, "options.include_snapshots",
                                "must be false: the output has the current state of the disks only");
        if (r >= 0 && fix && !json_is_boolean(fix))
                r = translation_error(&j->t, "parameters.fix", "must be true or false");
        return r;
}

/* The fields of deploy, and what they are for a domain. */
static const struct {
        const char *field, *canonical;
} deploy_fields[] = {
        { "name", "destination.name" },
        { "start", "destination.start" },
        { "bus", "destination.disk_bus" },
        { "nic_model", "destination.nic_model" },
        { "network_map", "destination.network_map" },
        { "cpu", "destination.hardware.cpus" },
        { "memory_mb", "destination.hardware.memory" },
        { "firmware", "destination.hardware.firmware" },
};

#define DEPLOY_MEMORY_MIN 64 /* MiB */

static int take_deploy_field(V1Job *j, const char *key, json_t *value) {
        _cleanup_free_ char *path = strprintf("options.deploy.%s", key);

        if (!path)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(deploy_fields); i++) {
                if (!streq(deploy_fields[i].field, key))
                        continue;
                if (!streq(key, "memory_mb"))
                        return put(j, deploy_fields[i].canonical, json_incref(value), path);
                json_int_t n = json_integer_value(value);
                if (n < DEPLOY_MEMORY_MIN || n > (json_int_t) (VM_MEMORY_MAX >> 20))
                        return json_errors_add(j->t.errors, path,
                                        "must be a whole number, %d to %" JSON_INTEGER_FORMAT,
                                        DEPLOY_MEMORY_MIN, (json_int_t) (VM_MEMORY_MAX >> 20));
                return put(j, deploy_fields[i].canonical, json_integer(n << 20), path);
        }
        return json_errors_add(j->t.errors, path,
                        "is not built in; built in: name, start, cpu, memory_mb, firmware, bus, nic_model, "
                        "network_map");
}

/* A machine that may still run elsewhere is defined, and not started. */
static bool starts(const V1Job *j) {
        const char *power = translation_get_string(&j->t, "parameters.source_power");

        return j->provider != ENDPOINT_VSPHERE || (power && !streq(power, "keep")) ||
                        json_is_true(translation_get(&j->t, "parameters.warm"));
}

static int use_domain(V1Job *j, json_t *deploy) {
        const char *key, *name = j->t.output_name;
        json_t *value;
        int r = put(j, "destination.type", json_string("kvm"), "options.deploy");

        json_object_foreach(deploy, key, value)
                if (r >= 0 && !json_is_null(value))
                        r = take_deploy_field(j, key, value);
        if (!name)
                name = translation_get_string(&j->t, "source.vm_uuid");
        if (r >= 0 && !translation_get(&j->t, "destination.name") && name)
                r = put(j, "destination.name", json_string(name), "vm_name");
        if (r >= 0 && !translation_get(&j->t, "destination.start") && starts(j))
                r = translation_set(&j->t, "destination.start", json_true());
        return r;
}

static int take_deploy(V1Job *j) {
        json_t *deploy = given(j, "options.deploy");
        int r = 0;

        if (wants_domain(j)) {
                if (!json_is_true(deploy) && !json_is_object(deploy))
                        return json_errors_add(
                                        j->t.errors, "options.deploy", "must be true, false or an object");
                if (!is_migration(j))
                        return json_errors_add(j->t.errors, "options.deploy",
                                        "must be false unless type is migration");
                return use_domain(j, deploy);
        }
        if (translation_get(&j->t, "destination.network_map"))
                r = translation_error(&j->t, "destination.network_map",
                                "must not be given unless options.deploy is true");
        return r;
}

int v1_job_decode(json_t *object, const V1JobContext *context, DialectJob *ret, JsonErrors *errors) {
        V1Job j = { .context = context };
        int r = translation_begin(&j.t, v1_job_fields, "job", object, errors);

        if (r >= 0)
                r = take_type(&j);
        if (r >= 0)
                r = take_provider(&j);
        if (r >= 0)
                r = take_source(&j);
        if (r >= 0)
                r = check_options(&j);
        if (r >= 0)
                r = take_output(&j);
        if (r >= 0)
                r = take_defaults(&j);
        if (r >= 0)
                r = take_deploy(&j);
        if (r >= 0)
                r = carbon_metadata_take(&j.t);
        if (r >= 0)
                r = translation_complete(&j.t);
        if (r >= 0)
                r = translation_finish(&j.t, ret);
        translation_done(&j.t);
        return r;
}
