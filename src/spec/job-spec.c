/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/job-spec.h"
#include "basic/string-util.h"
#include "spec/carbon-spec.h"
#include "spec/job-document.h"
#include "spec/job-fields.h"
#include "spec/job-guest.h"
#include "spec/job-limits.h"
#include "spec/job-misplaced.h"
#include "spec/job-secrets.h"
#include "spec/placement.h"
#include "spec/vsphere-server.h"
#include "spec/warm-spec.h"
#include "json/json-parse.h"

JobSpec *job_spec_free(JobSpec *s) {
        if (!s)
                return NULL;
        json_table_done(job_fields, s);
        json_decref(s->audit_info);
        json_decref(s->capability_requirements);
        json_decref(s->given);
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
        carbon_spec_init(s);
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
        if (r >= 0 && s->parameters.kind != JOB_KIND_NONE && s->operation >= 0 &&
                        s->operation != OPERATION_CONVERT)
                r = json_errors_add(
                                errors, "parameters.kind", "must not be given unless operation is convert");
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
                r = kvm_boot_check(s->destination.type == ENDPOINT_KVM, s->parameters.boot_check,
                                s->parameters.boot_timeout, errors);
        if (r >= 0)
                r = check_vsphere_parameters(s, json_object_get(object, "parameters"), errors);
        if (r >= 0)
                r = warm_spec_check(s, json_object_get(object, "parameters"), errors);
        if (r >= 0)
                r = job_limits_check(s, errors);
        if (r >= 0)
                r = job_placement_check(s, errors);
        return r < 0 ? r : carbon_spec_check(s, json_object_get(object, "carbon"), errors);
}

/* Whatever people wrote down for themselves; taken from the document, where it is without secrets. */
static void take_object(json_t *document, const char *key, json_t **p) {
        json_t *value = json_object_get(document, key);

        if (json_is_object(value)) /* what is not has been told by the table */
                *p = json_incref(value);
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
        r = json_table_decode(job_fields, object, "", s, errors);
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
        r = job_document_fill(s);
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
                if (r >= 0) {
                        r = job_spec_from_json(object, ret, errors);
                        if (r >= 0)
                                (*ret)->given = TAKE_PTR(object);
                        return r;
                }
                if (r == -EBADMSG)
                        r = json_errors_add(errors, "", "the spec is no JSON object: %s", error);
        }
        return r < 0 ? r : -EBADMSG;
}

static bool is_compact(const char *text) {
        bool in_string = false;

        for (; *text; text++)
                if (*text == '"')
                        in_string = !in_string;
                else if (in_string)
                        text += *text == '\\' && text[1];
                else if (strchr(" \t\r\n", *text))
                        return false;
        return true;
}

char *job_spec_text(const JobSpec *s, const char *text) {
        /* hyper-apid sends the whole document. */
        if (s->given && is_compact(text) && json_equal(s->given, s->document))
                return strdup(text);
        return json_dumps(s->document, JSON_COMPACT);
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
