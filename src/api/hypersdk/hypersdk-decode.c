/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <strings.h>

#include "api/hypersdk/hypersdk-decode.h"
#include "basic/string-util.h"
#include "dialect/carbon-metadata.h"
#include "dialect/dialect-complete.h"

/* HyperSDK clients of several versions write the same thing in several ways. Of lines with the same
 * canonical field, any one may be given; two that differ are refused.  the disk      source {"type",
 * "path" | "uri", "format", "checksum"}; without it, vm_path names it (an absolute path, file:// or
 * nbd://). With a source, vm_path is only a label. the output    destination {"type", "path" | "uri",
 * "format"}, or output_path. A path that ends in "/", and an output_path whose last part has no ".", is a
 * directory, as older clients mean it; so are output_dir and destination.output_dir. The file in it is
 * called like the source. With nothing of all that, it stands beside the source. its format
 * destination.format, format, output_format, also below options; else by its name, else qcow2 how
 * options.compress, options.verify, and the same without options policy execution_policy {…} as in the
 * worker API, or its fields at the top or below options */
/* Typed clients send all their fields, and zero values for those that nobody set. Where zero is a value of
 * its own (retry_count, priority, booleans) it is one. */
#define ABSENT FIELD_ZERO_IS_ABSENT

const FieldMap hypersdk_fields[] = {
        { "id", "job_id", FIELD_SHOWN | ABSENT },
        { "job_id", "job_id", ABSENT },
        { "name", NULL, ABSENT },
        { "description", NULL, ABSENT },
        { "created_at", NULL, ABSENT },
        { "operation", "operation", FIELD_SHOWN | ABSENT },

        { "vm_path", "source.path", FIELD_SHOWN | FIELD_OUT_ONLY | ABSENT }, /* see take_vm_path() */
        { "vm_path", "source.uri", FIELD_SHOWN | FIELD_OUT_ONLY | ABSENT },
        { "vm_path", "source.vm_path", FIELD_SHOWN | FIELD_OUT_ONLY | ABSENT },
        { "source.type", "source.type", FIELD_SHOWN | ABSENT },
        { "source.path", "source.path", FIELD_SHOWN | ABSENT },
        { "source.uri", "source.uri", FIELD_SHOWN | ABSENT },
        { "source.url", "source.uri", ABSENT },
        { "source.format", "source.format", FIELD_SHOWN | ABSENT },
        { "source.checksum", "source.checksum", FIELD_SHOWN | ABSENT },
        { "source.further_disks", "source.further_disks", FIELD_SHOWN | ABSENT },
        { "source.tls_certificates", "source.tls_certificates", FIELD_SHOWN | ABSENT },
        { "source.tls_psk", "source.tls_psk", ABSENT },
        { "source.name", "source.name", FIELD_SHOWN | ABSENT },
        { "source.vcenter_url", "source.vcenter_url", FIELD_SHOWN | ABSENT },
        { "vcenter_url", "source.vcenter_url", ABSENT },
        { "vcenter.server", "source.vcenter_url", ABSENT },
        { "source.username", "source.username", FIELD_SHOWN | ABSENT },
        { "username", "source.username", ABSENT },
        { "vcenter.username", "source.username", ABSENT },
        { "source.password", "source.password", FIELD_SHOWN | ABSENT },
        { "password", "source.password", ABSENT },
        { "vcenter.password", "source.password", ABSENT },
        { "source.ca", "source.ca", FIELD_SHOWN | ABSENT },
        { "source.thumbprint", "source.thumbprint", FIELD_SHOWN | ABSENT },
        { "source.datacenter", "source.datacenter", FIELD_SHOWN | ABSENT },
        { "datacenter", "source.datacenter", ABSENT },
        { "source.vm_path", "source.vm_path", FIELD_SHOWN | ABSENT },
        { "source.vm_uuid", "source.vm_uuid", FIELD_SHOWN | ABSENT },

        { "destination.type", "destination.type", FIELD_SHOWN | ABSENT },
        { "destination.path", "destination.path", FIELD_SHOWN | ABSENT },
        { "destination.output_path", "destination.path", ABSENT },
        { "output_path", "destination.path", ABSENT },
        { "options.output_path", "destination.path", ABSENT },
        { "destination.directory", TRANSLATE_DIRECTORY, ABSENT },
        { "destination.output_dir", TRANSLATE_DIRECTORY, ABSENT },
        { "output_dir", TRANSLATE_DIRECTORY, ABSENT },
        { "options.output_dir", TRANSLATE_DIRECTORY, ABSENT },
        { "destination.uri", "destination.uri", FIELD_SHOWN | ABSENT },
        { "destination.url", "destination.uri", ABSENT },
        { "destination.tls_certificates", "destination.tls_certificates", FIELD_SHOWN | ABSENT },
        { "destination.tls_psk", "destination.tls_psk", ABSENT },
        { "destination.format", "destination.format", FIELD_SHOWN | ABSENT },
        { "format", "destination.format", ABSENT },
        { "output_format", "destination.format", ABSENT },
        { "options.format", "destination.format", ABSENT },
        { "options.output_format", "destination.format", ABSENT },
        { "destination.libvirt_uri", "destination.libvirt_uri", FIELD_SHOWN | ABSENT },
        { "destination.pool", "destination.pool", FIELD_SHOWN | ABSENT },
        { "destination.name", "destination.name", FIELD_SHOWN | ABSENT },
        { "destination.network_map", "destination.network_map", FIELD_SHOWN | ABSENT },
        { "destination.network_mapping", "destination.network_map", ABSENT },
        { "options.network_mapping", "destination.network_map", ABSENT },
        { "options.network_map", "destination.network_map", ABSENT },
        { "destination.hardware", "destination.hardware", FIELD_SHOWN | ABSENT },
        { "destination.disk_bus", "destination.disk_bus", FIELD_SHOWN | ABSENT },
        { "destination.nic_model", "destination.nic_model", FIELD_SHOWN | ABSENT },
        { "destination.start", "destination.start", FIELD_SHOWN },

        { "options.compress", "parameters.compress", FIELD_SHOWN },
        { "compress", "parameters.compress", 0 },
        { "parameters.compress", "parameters.compress", 0 },
        { "options.compression", "parameters.compression", FIELD_SHOWN },
        { "compression", "parameters.compression", 0 },
        { "parameters.compression", "parameters.compression", 0 },
        { "options.verify", "parameters.verify", FIELD_SHOWN },
        { "verify", "parameters.verify", 0 },
        { "parameters.verify", "parameters.verify", 0 },
        { "options.in_use", "parameters.in_use", FIELD_SHOWN | ABSENT },
        { "in_use", "parameters.in_use", ABSENT },
        { "parameters.in_use", "parameters.in_use", ABSENT },
        { "options.chain", "parameters.chain", FIELD_SHOWN | ABSENT },
        { "chain", "parameters.chain", ABSENT },
        { "parameters.chain", "parameters.chain", ABSENT },
        { "options.allow_larger", "parameters.allow_larger", FIELD_SHOWN },
        { "allow_larger", "parameters.allow_larger", 0 },
        { "parameters.allow_larger", "parameters.allow_larger", 0 },
        { "options.fix", "parameters.fix", FIELD_SHOWN },
        { "fix", "parameters.fix", 0 },
        { "parameters.fix", "parameters.fix", 0 },
        { "options.root", "parameters.root", FIELD_SHOWN },
        { "parameters.root", "parameters.root", 0 },
        { "options.luks_keys", "parameters.luks_keys", 0 },
        { "parameters.luks_keys", "parameters.luks_keys", 0 },
        { "options.boot_check", "parameters.boot_check", FIELD_SHOWN },
        { "boot_check", "parameters.boot_check", 0 },
        { "parameters.boot_check", "parameters.boot_check", 0 },
        { "options.boot_timeout_seconds", "parameters.boot_timeout_seconds", FIELD_SHOWN | ABSENT },
        { "boot_timeout_seconds", "parameters.boot_timeout_seconds", ABSENT },
        { "parameters.boot_timeout_seconds", "parameters.boot_timeout_seconds", ABSENT },
        { "options.dry_run", "parameters.dry_run", FIELD_SHOWN },
        { "dry_run", "parameters.dry_run", 0 },
        { "parameters.dry_run", "parameters.dry_run", 0 },
        { "options.force", "parameters.force", FIELD_SHOWN },
        { "parameters.force", "parameters.force", 0 },

        { "options.conversion_method", "parameters.conversion_method", FIELD_SHOWN | ABSENT },
        { "conversion_method", "parameters.conversion_method", ABSENT },
        { "parameters.conversion_method", "parameters.conversion_method", ABSENT },
        { "options.source_power", "parameters.source_power", FIELD_SHOWN | ABSENT },
        { "source_power", "parameters.source_power", ABSENT },
        { "parameters.source_power", "parameters.source_power", ABSENT },
        { "options.shutdown_timeout_seconds", "parameters.shutdown_timeout_seconds", FIELD_SHOWN | ABSENT },
        { "shutdown_timeout_seconds", "parameters.shutdown_timeout_seconds", ABSENT },
        { "parameters.shutdown_timeout_seconds", "parameters.shutdown_timeout_seconds", ABSENT },
        { "options.power_off", "parameters.power_off", FIELD_SHOWN },
        { "power_off", "parameters.power_off", 0 },
        { "parameters.power_off", "parameters.power_off", 0 },
        { "options.warm", "parameters.warm", FIELD_SHOWN },
        { "warm", "parameters.warm", 0 },
        { "parameters.warm", "parameters.warm", 0 },
        { "options.cutover", "parameters.cutover", FIELD_SHOWN | ABSENT },
        { "cutover", "parameters.cutover", ABSENT },
        { "parameters.cutover", "parameters.cutover", ABSENT },
        { "options.interval_seconds", "parameters.interval_seconds", FIELD_SHOWN | ABSENT },
        { "interval_seconds", "parameters.interval_seconds", ABSENT },
        { "parameters.interval_seconds", "parameters.interval_seconds", ABSENT },
        { "options.power_on_after_failure", "parameters.power_on_after_failure", FIELD_SHOWN },
        { "power_on_after_failure", "parameters.power_on_after_failure", 0 },
        { "parameters.power_on_after_failure", "parameters.power_on_after_failure", 0 },

        { "execution_policy.timeout_seconds", "execution_policy.timeout_seconds", FIELD_SHOWN | ABSENT },
        { "timeout_seconds", "execution_policy.timeout_seconds", ABSENT },
        { "options.timeout_seconds", "execution_policy.timeout_seconds", ABSENT },
        { "execution_policy.retry_count", "execution_policy.retry_count", FIELD_SHOWN },
        { "retry_count", "execution_policy.retry_count", 0 },
        { "options.retry_count", "execution_policy.retry_count", 0 },
        { "execution_policy.priority", "execution_policy.priority", FIELD_SHOWN },
        { "priority", "execution_policy.priority", 0 },
        { "options.priority", "execution_policy.priority", 0 },
        { "execution_policy.idempotent", "execution_policy.idempotent", FIELD_SHOWN },
        { "carbon", "carbon", FIELD_SHOWN },
        { "audit_info", "audit_info", FIELD_SHOWN },
        { "capability_requirements", "capability_requirements", FIELD_SHOWN },
        {},
};
#undef ABSENT

/* The published clients give the login without a type, too. */
static bool is_vsphere(const Translation *t) {
        const char *type = translation_get_string(t, "source.type");

        if (type)
                return endpoint_type_from_string(type) == ENDPOINT_VSPHERE;
        return translation_get(t, "source.vcenter_url") && !translation_get(t, "source.path") &&
                        !translation_get(t, "source.uri");
}

/* vm_path names the disk when no source does, or the virtual machine of vSphere. */
static int take_vm_path(Translation *t) {
        const char *type = translation_get_string(t, "source.type");
        int r;

        if (is_vsphere(t))
                return translation_get(t, "source.vm_path") || translation_get(t, "source.vm_uuid")
                                ? 0
                                : translation_take(t, "vm_path", "source.vm_path");
        if (translation_get(t, "source.path") || translation_get(t, "source.uri") ||
                        (type && endpoint_type_from_string(type) < 0))
                return 0;
        r = translation_take(t, "vm_path", "source.path");
        if (r < 0)
                return r;

        const char *path = translation_get_string(t, "source.path");
        if (!path || path[0] == '/' || startswith(path, "file:") || startswith(path, "nbd"))
                return 0;
        return translation_error(t, "source.path",
                        "must be the absolute path of a disk image on this machine, or a file:// or nbd:// "
                        "URL "
                        "(this machine can read: file, nbd, vsphere)");
}

/* Older clients give a directory as output_path. */
static int take_output_path(Translation *t) {
        const char *path = translation_get_string(t, "destination.path"),
                   *origin = json_string_value(json_object_get(t->origins, "destination.path"));
        const char *slash = path ? strrchr(path, '/') : NULL;
        int r;

        if (!slash || !origin || !endswith(origin, "output_path") || strchr(slash, '.') ||
                        translation_get(t, TRANSLATE_DIRECTORY))
                return 0;
        r = translation_take(t, origin, TRANSLATE_DIRECTORY);
        if (r < 0)
                return r;
        (void) json_object_del(translation_get(t, "destination"), "path");
        (void) json_object_del(t->origins, "destination.path");
        return 0;
}

int hypersdk_fields_decode(const FieldMap *fields, const char *what, const char *output_name, json_t *object,
                DialectJob *ret, JsonErrors *errors) {
        _cleanup_(translation_done) Translation t = {};
        int r;

        r = translation_begin(&t, fields, what, object, errors);
        if (r < 0)
                return r;
        t.output_name = output_name;
        r = take_vm_path(&t);
        if (r < 0)
                return r;
        r = take_output_path(&t);
        if (r < 0)
                return r;
        r = carbon_metadata_take(&t);
        if (r < 0)
                return r;
        r = translation_complete(&t);
        if (r < 0)
                return r;
        return translation_finish(&t, ret);
}

int hypersdk_job_decode(json_t *object, DialectJob *ret, JsonErrors *errors) {
        return hypersdk_fields_decode(hypersdk_fields, "job", NULL, object, ret, errors);
}

int hypersdk_template_decode(json_t *object, DialectJob *ret, JsonErrors *errors) {
        return hypersdk_fields_decode(hypersdk_fields, "job", "{job_id}", object, ret, errors);
}

int hypersdk_submit_decode(json_t *body, json_t **ret, bool *ret_batch, JsonErrors *errors) {
        json_t *list = json_is_array(body) ? body : json_object_get(body, "jobs");
        int r = 0;

        if (!list) {
                _cleanup_json_ json_t *one = json_is_object(body) ? json_array() : NULL;

                if (!json_is_object(body)) {
                        r = json_errors_add(
                                        errors, "body", "must be a job, a list of jobs or {\"jobs\": […]}");
                        return r < 0 ? r : -EBADMSG;
                }
                if (!one || json_array_append(one, body) < 0)
                        return -ENOMEM;
                *ret = TAKE_PTR(one);
                *ret_batch = false;
                return 0;
        }

        if (!json_is_array(list))
                r = json_errors_add(errors, "jobs", "must be a list");
        else if (json_array_size(list) == 0)
                r = json_errors_add(errors, "jobs", "must have at least one job");
        else if (json_array_size(list) > HYPERSDK_BATCH_MAX)
                r = json_errors_add(errors, "jobs", "must have at most %u jobs", HYPERSDK_BATCH_MAX);
        else {
                *ret = json_incref(list);
                *ret_batch = true;
                return 0;
        }
        return r < 0 ? r : -EBADMSG;
}

void hypersdk_selection_done(HypersdkSelection *s) {
        if (!s)
                return;
        strv_free(s->ids);
        *s = (HypersdkSelection){};
}

#define STATES_PENDING                                                                     \
        (1u << JOB_CREATED | 1u << JOB_VALIDATED | 1u << JOB_QUEUED | 1u << JOB_ASSIGNED | \
                        1u << JOB_RETRYING)

uint32_t hypersdk_status_to_states(const char *status) {
        static const struct {
                const char *word; /* taken in any case */
                uint32_t states;
        } words[] = {
                { "pending", STATES_PENDING },
                { "queued", STATES_PENDING },
                { "running", 1u << JOB_RUNNING },
                { "completed", 1u << JOB_COMPLETED },
                { "failed", 1u << JOB_FAILED },
                { "cancelled", 1u << JOB_CANCELLED },
                { "canceled", 1u << JOB_CANCELLED },
        };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (strcasecmp(words[i].word, status) == 0)
                        return words[i].states;
        return 0;
}

static int decode_status(json_t *value, uint32_t *states, JsonErrors *errors) {
        size_t n = json_is_array(value) ? json_array_size(value) : 1;

        for (size_t i = 0; i < n; i++) {
                const char *s = json_string_value(json_is_array(value) ? json_array_get(value, i) : value);
                uint32_t one = s ? hypersdk_status_to_states(s) : 0;

                if (one == 0)
                        return json_errors_add(errors, "status",
                                        "must be pending, running, completed, failed or cancelled, or a "
                                        "list of "
                                        "these");
                *states |= one;
        }
        return 0;
}

/* What the tables below decode into. */
typedef struct Request {
        char **job_ids;
        char *job_id, *id;
        json_t *status;
        bool all;
        uint64_t limit, offset;
} Request;

static const JsonField query_table[] = {
        { "job_ids", JSON_FIELD_STRV, offsetof(Request, job_ids), JSON_NULLABLE },
        { "status", JSON_FIELD_ANY, offsetof(Request, status), JSON_NULLABLE },
        { "all", JSON_FIELD_BOOLEAN, offsetof(Request, all), JSON_NULLABLE },
        /* 0 is what some clients send for "not given" */
        { "limit", JSON_FIELD_UINT64, offsetof(Request, limit), JSON_NULLABLE, 0, HYPERSDK_LIMIT_MAX },
        { "offset", JSON_FIELD_UINT64, offsetof(Request, offset), JSON_NULLABLE, 0, INT64_MAX },
        {},
};

static const JsonField cancel_table[] = {
        { "job_ids", JSON_FIELD_STRV, offsetof(Request, job_ids), JSON_NULLABLE },
        { "job_id", JSON_FIELD_STRING, offsetof(Request, job_id), JSON_NULLABLE },
        { "id", JSON_FIELD_STRING, offsetof(Request, id), JSON_NULLABLE },
        { "status", JSON_FIELD_ANY, offsetof(Request, status), JSON_NULLABLE },
        {},
};

static int selection_from_request(Request *q, HypersdkSelection *ret, JsonErrors *errors) {
        _cleanup_(hypersdk_selection_done)
                        HypersdkSelection s = { .all = q->all, .limit = q->limit, .offset = q->offset };
        int r = 0;

        if (q->job_id)
                r = strv_extend(&q->job_ids, q->job_id);
        if (r >= 0 && q->id)
                r = strv_extend(&q->job_ids, q->id);
        if (r >= 0 && q->status && !json_is_null(q->status))
                r = decode_status(q->status, &s.states, errors);
        if (r < 0)
                return r;
        if (errors->n_errors > 0)
                return -EBADMSG;
        /* An empty list is how some clients write none. */
        if (strv_length(q->job_ids) > 0)
                s.ids = TAKE_PTR(q->job_ids);
        *ret = s;
        s = (HypersdkSelection){};
        return 0;
}

static int decode_selection(
                const JsonField *table, json_t *object, HypersdkSelection *ret, JsonErrors *errors) {
        Request q = {};
        int r;

        if (!json_is_object(object)) {
                r = json_errors_add(errors, "body", "must be an object");
                return r < 0 ? r : -EBADMSG;
        }
        r = json_table_decode(table, object, "", &q, errors);
        if (r >= 0)
                r = selection_from_request(&q, ret, errors);
        json_table_done(table, &q);
        return r;
}

int hypersdk_query_decode(json_t *object, HypersdkSelection *ret, JsonErrors *errors) {
        return decode_selection(query_table, object, ret, errors);
}

int hypersdk_cancel_decode(json_t *object, HypersdkSelection *ret, JsonErrors *errors) {
        _cleanup_(hypersdk_selection_done) HypersdkSelection s = {};
        int r;

        r = decode_selection(cancel_table, object, &s, errors);
        if (r < 0)
                return r;
        if (!s.ids && s.states == 0) {
                r = json_errors_add(errors, "job_ids", "must be given, or status: which jobs to cancel");
                return r < 0 ? r : -EBADMSG;
        }
        *ret = s;
        s = (HypersdkSelection){};
        return 0;
}
