/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hypersdk/hypersdk-manifest.h"

#include "api/hypersdk/hypersdk-decode.h"
#include "basic/string-util.h"
#include "dialect/dialect-complete.h"
#include "spec/job-id.h"

/* The stage "inspect", which changes nothing, is not done: like all unknown fields it is kept with the job,
 * and its log has a warning. */
#define GIVEN (FIELD_SHOWN | FIELD_ZERO_IS_ABSENT)
const FieldMap hypersdk_manifest_fields[] = {
        { "id", "job_id", GIVEN },
        { "name", NULL, 0 },
        { "workflow_id", NULL, 0 },
        { "pipeline.load.source_type", "source.format", GIVEN },
        { "pipeline.load.source_path", "source.path", GIVEN },
        { "pipeline.convert.output_format", "destination.format", GIVEN },
        { "pipeline.convert.output_path", "destination.path", GIVEN },
        { "pipeline.convert.compress", "parameters.compress", FIELD_SHOWN },
        { "pipeline.validate.enabled", "parameters.verify", FIELD_SHOWN },
        {},
};
#undef GIVEN

/* A change that the client relies on is not left out. A stage that is off is removed: elsewhere, "fix" is
 * taken for a parameter in the wrong place. */
static int check_fix(json_t *pipeline, JsonErrors *errors) {
        _cleanup_json_ json_t *fix = json_incref(json_object_get(pipeline, "fix"));

        (void) json_object_del(pipeline, "fix");

        if (!fix || json_is_false(fix) || json_is_zero_value(fix) ||
                        (json_is_object(fix) && json_object_size(fix) == 0) ||
                        json_is_false(json_object_get(fix, "enabled")))
                return 0;
        return json_errors_add(errors, "pipeline.fix",
                        "is not supported in a manifest: submit a job with a fix, or set its enabled to "
                        "false");
}

int hypersdk_manifest_job_decode(json_t *object, DialectJob *ret, JsonErrors *errors) {
        int r = check_fix(json_object_get(object, "pipeline"), errors);

        return r < 0 ? r : hypersdk_fields_decode(hypersdk_manifest_fields, "vm", NULL, object, ret, errors);
}

/* A client's own, so that a request that is sent twice is one workflow, or a new one. */
static int read_workflow_id(json_t *manifest, char **ret, JsonErrors *errors) {
        json_t *given = json_object_get(manifest, "workflow_id");

        if (!given || json_is_zero_value(given))
                return job_id_make(ret);
        /* Its jobs have a number behind it. */
        _cleanup_free_ char *longest = json_is_string(given)
                        ? strprintf("%s-%u", json_string_value(given), HYPERSDK_BATCH_MAX)
                        : NULL;
        if (json_is_string(given) && !longest)
                return -ENOMEM;
        if (!longest || !job_id_is_valid(longest))
                return json_errors_add(errors, "workflow_id",
                                "must be an ID of at most 120 letters, digits and \".\", \"_\", \"-\"");
        *ret = strdup(json_string_value(given));
        return *ret ? 0 : -ENOMEM;
}

static int check_version(json_t *manifest, JsonErrors *errors) {
        json_t *version = json_object_get(manifest, "version");

        if (json_is_number(version) || !isempty(json_string_value(version)))
                return 0;
        return json_errors_add(errors, "version", "must be given, like \"1.0\"");
}

/* The list of VMs: "vms", or the manifest itself. New reference. */
static int read_vms(json_t *manifest, json_t **ret, bool *ret_batch, JsonErrors *errors) {
        json_t *vms = json_object_get(manifest, "vms");

        *ret_batch = json_is_true(json_object_get(manifest, "batch")) || (vms && !json_is_null(vms));
        if (!*ret_batch) {
                *ret = json_pack("[O]", manifest);
                if (!*ret)
                        return -ENOMEM;
                if (json_is_object(json_object_get(manifest, "pipeline")))
                        return 0;
                return json_errors_add(errors, "pipeline", "must be given, as an object");
        }
        if (!json_is_array(vms) || json_array_size(vms) == 0)
                return json_errors_add(errors, "vms", "must be a list with at least one VM");
        if (json_array_size(vms) > HYPERSDK_BATCH_MAX)
                return json_errors_add(errors, "vms", "must have at most %u VMs", HYPERSDK_BATCH_MAX);
        *ret = json_incref(vms);
        return 0;
}

static json_t *make_job(json_t *vm, const char *workflow_id, size_t number) {
        static const char *const keys[] = { "name", "pipeline" };
        _cleanup_free_ char *id = strprintf("%s-%zu", workflow_id, number);
        _cleanup_json_ json_t *job = json_pack("{s:s, s:s}", "id", strempty(id), "workflow_id", workflow_id);

        if (!job || !id)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                json_t *value = json_object_get(vm, keys[i]);

                if (value && json_object_set(job, keys[i], value) < 0)
                        return NULL;
        }
        return TAKE_PTR(job);
}

int hypersdk_manifest_decode(json_t *manifest, json_t **ret, bool *ret_batch, char **ret_workflow_id,
                JsonErrors *errors) {
        _cleanup_json_ json_t *vms = NULL, *jobs = json_array();
        _cleanup_free_ char *workflow_id = NULL;
        json_t *vm;
        size_t i;
        int r;

        if (!jobs)
                return -ENOMEM;
        r = check_version(manifest, errors);
        if (r < 0)
                return r;
        r = read_workflow_id(manifest, &workflow_id, errors);
        if (r < 0)
                return r;
        r = read_vms(manifest, &vms, ret_batch, errors);
        if (r < 0)
                return r;
        if (errors->n_errors > 0)
                return -EBADMSG;
        json_array_foreach(vms, i, vm)
                if (json_array_append_new(jobs, make_job(vm, workflow_id, i + 1)) < 0)
                        return -ENOMEM;
        *ret = TAKE_PTR(jobs);
        *ret_workflow_id = TAKE_PTR(workflow_id);
        return 0;
}
