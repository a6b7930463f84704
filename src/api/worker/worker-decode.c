/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/worker/worker-decode.h"

/* Two forms of the spec are in use: audit_info {requested_by, ticket_id, tags: […]} with
 * parameters.output_path, and audit {requested_by, ticket, tags: {…}} with artifacts.output_path. Both are
 * taken, also mixed. An image.path or output_path may be an nbd:// URI. Without an output path the output
 * stands beside the source,
 * "<name>.<format>". */
const FieldMap worker_fields[] = {
        { "job_id", "job_id", FIELD_SHOWN },
        { "operation", "operation", FIELD_SHOWN },

        { "image.path", "source.path", FIELD_SHOWN },
        { "image.path", "source.uri", FIELD_SHOWN | FIELD_OUT_ONLY },
        { "image.format", "source.format", FIELD_SHOWN },
        { "image.checksum", "source.checksum", FIELD_SHOWN },
        { "image.tls_certificates", "source.tls_certificates", FIELD_SHOWN },
        { "image.tls_psk", "source.tls_psk", 0 },

        { "parameters.output_path", "destination.path", FIELD_SHOWN },
        { "parameters.output_path", "destination.uri", FIELD_SHOWN | FIELD_OUT_ONLY },
        { "artifacts.output_path", "destination.path", FIELD_SHOWN },
        { "artifacts.output_path", "destination.uri", FIELD_SHOWN | FIELD_OUT_ONLY },
        { "parameters.output_format", "destination.format", FIELD_SHOWN },
        { "artifacts.output_format", "destination.format", 0 },
        { "parameters.output_tls_certificates", "destination.tls_certificates", FIELD_SHOWN },
        { "parameters.output_tls_psk", "destination.tls_psk", 0 },
        { "parameters.compress", "parameters.compress", FIELD_SHOWN },
        { "parameters.verify", "parameters.verify", FIELD_SHOWN },

        { "execution_policy.timeout_seconds", "execution_policy.timeout_seconds", FIELD_SHOWN },
        { "execution_policy.retry_count", "execution_policy.retry_count", FIELD_SHOWN },
        { "execution_policy.priority", "execution_policy.priority", FIELD_SHOWN },
        { "execution_policy.idempotent", "execution_policy.idempotent", FIELD_SHOWN },

        { "audit_info", "audit_info", FIELD_SHOWN },
        { "audit", "audit_info", FIELD_FALLBACK },
        { "capability_requirements", "capability_requirements", FIELD_SHOWN },
        {},
};

/* audit.ticket is audit_info.ticket_id; the rest is kept as it is, tags in either form. */
static int complete_audit(Translation *t) {
        json_t *audit = translation_get(t, "audit_info"), *ticket = json_object_get(audit, "ticket");

        if (!ticket || json_object_get(audit, "ticket_id"))
                return 0;

        /* The request keeps its own. */
        _cleanup_json_ json_t *copy = json_copy(audit);
        if (!copy || json_object_set(copy, "ticket_id", ticket) < 0 || json_object_del(copy, "ticket") < 0)
                return -ENOMEM;
        return translation_set(t, "audit_info", json_incref(copy));
}

int worker_job_decode(json_t *object, DialectJob *ret, JsonErrors *errors) {
        _cleanup_(translation_done) Translation t = {};
        int r;

        if (!json_is_object(object)) {
                r = json_errors_add(errors, "body", "must be an object");
                return r < 0 ? r : -EBADMSG;
        }
        r = translation_begin(&t, worker_fields, object, errors);
        if (r < 0)
                return r;
        r = complete_audit(&t);
        if (r < 0)
                return r;
        r = translation_complete(&t);
        if (r < 0)
                return r;
        return translation_finish(&t, ret);
}
