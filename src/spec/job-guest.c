/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/job-guest.h"
#include "basic/string-util.h"

static int check_files(const JobSpec *s, JsonErrors *errors) {
        if (s->source.type < 0 || s->source.type == ENDPOINT_FILE)
                return 0;
        return json_errors_add(errors, "source.type", "must be file for operation %s%s",
                        job_operation_to_string((JobOperation) s->operation),
                        s->operation == OPERATION_INSPECT ? "" : " without a destination");
}

/* The source is written to. */
static int check_in_place(const JobSpec *s, JsonErrors *errors) {
        int r = check_files(s, errors);

        if (r >= 0 && s->parameters.chain == CHAIN_FLATTEN)
                r = json_errors_add(errors, "parameters.chain",
                                "must not be flatten without a destination: the images below would no "
                                "longer be "
                                "those that the result depends on");
        if (r >= 0 && s->parameters.in_use == IN_USE_ALLOW)
                r = json_errors_add(errors, "parameters.in_use",
                                "must not be allow without a destination: the image is written to");
        return r;
}

static int check_destination(const JobSpec *s, const char *field, JsonErrors *errors) {
        if ((s->destination.type == ENDPOINT_FILE || s->destination.type == ENDPOINT_KVM) &&
                        (s->destination.format == FORMAT_QCOW2 || s->destination.format == FORMAT_RAW))
                return 0;
        return json_errors_add(
                        errors, field, "must not be given unless the destination is a qcow2 or raw file");
}

static int check_inspect(const JobSpec *s, JsonErrors *errors) {
        int r = check_files(s, errors);

        if (r >= 0 && job_spec_has_destination(s))
                r = json_errors_add(errors, "destination", "must not be given for operation inspect");
        return r;
}

/* Nothing is kept of a dry run. */
static int check_dry_run(const JobSpec *s, JsonErrors *errors) {
        if (!s->parameters.dry_run)
                return 0;
        if (s->operation == OPERATION_CONVERT || s->operation == OPERATION_INSPECT)
                return json_errors_add(errors, "parameters.dry_run",
                                "must not be given for operation %s, but for one that fixes a guest",
                                job_operation_to_string((JobOperation) s->operation));
        if (job_spec_has_destination(s))
                return json_errors_add(errors, "destination", "must not be given with parameters.dry_run");
        return 0;
}

/* What is said about one operation. */
static const struct {
        const char *field;
        JobOperation operation;
} details[] = {
        { "force", OPERATION_FS_REPAIR },
        { "method", OPERATION_INITRAMFS_REGENERATE },
        { "relabel", OPERATION_SELINUX_PREP },
};

static bool is_given(const JobSpec *s, const char *field) {
        return streq(field, "force")             ? s->parameters.force
                        : streq(field, "method") ? s->parameters.method != INITRAMFS_APPEND
                                                 : s->parameters.relabel != RELABEL_CHANGED;
}

static int check_details(const JobSpec *s, const json_t *parameters, JsonErrors *errors) {
        int r = check_dry_run(s, errors);

        if (r >= 0 && s->parameters.root && !job_spec_has_guest(s))
                r = json_errors_add(errors, "parameters.root", "must not be given without parameters.fix");
        if (r >= 0 && !job_spec_has_guest(s) && json_is_string(json_object_get(parameters, "luks_keys")))
                r = json_errors_add(
                                errors, "parameters.luks_keys", "must not be given without parameters.fix");
        for (size_t i = 0; i < ELEMENTSOF(details) && r >= 0; i++)
                if (is_given(s, details[i].field) && !(s->parameters.fix & 1u << details[i].operation)) {
                        _cleanup_free_ char *path = strprintf("parameters.%s", details[i].field);
                        r = path ? json_errors_add(errors, path,
                                                   "must not be given unless the operation is %s, or "
                                                   "parameters.fix contains it",
                                                   job_operation_to_string(details[i].operation))
                                 : -ENOMEM;
                }
        return r;
}

static int check_operation(JobSpec *s, JsonErrors *errors) {
        if (s->operation == OPERATION_INSPECT && s->parameters.fix != 0) {
                s->parameters.fix = 0;
                return json_errors_add(errors, "parameters.fix", "must not be given for operation inspect");
        }
        if (s->operation == OPERATION_INSPECT)
                return check_inspect(s, errors);
        s->parameters.fix |= 1u << s->operation;
        if (job_spec_has_destination(s))
                return check_destination(s, "destination", errors);
        return s->parameters.dry_run ? check_files(s, errors) : check_in_place(s, errors);
}

/* A guest that becomes a domain is fixed, unless that is switched off. */
static int read_fix(JobSpec *s, JsonErrors *errors) {
        bool given = s->parameters.fix_words && !json_is_null(s->parameters.fix_words);

        if (!given && s->operation == OPERATION_CONVERT && s->destination.type == ENDPOINT_KVM) {
                s->parameters.fix = FIX_AUTO | FIX_ALL;
                return 0;
        }
        return job_fix_from_json(s->parameters.fix_words, "parameters.fix", &s->parameters.fix, errors);
}

static const char *wrong_disk(const JobSpec *s, size_t i) {
        const char *path = s->source.further_disks[i], *reason = NULL;

        if (!job_path_is_valid(path, true, &reason))
                return reason;
        if (streq_ptr(path, s->source.path))
                return "must not contain source.path";
        for (size_t k = 0; k < i; k++)
                if (streq(path, s->source.further_disks[k]))
                        return "must not contain a path twice";
        return NULL;
}

/* Disks of the same virtual machine, which are looked at and changed together. */
static int check_further_disks(const JobSpec *s, JsonErrors *errors) {
        static const char field[] = "source.further_disks";
        size_t n = strv_length(s->source.further_disks);
        int r = 0;

        if (n == 0 || s->source.type != ENDPOINT_FILE)
                return 0;
        if (n >= JOB_DISKS_MAX)
                return json_errors_add(errors, field, "must have at most %d entries", JOB_DISKS_MAX - 1);
        if (s->operation == OPERATION_CONVERT || job_spec_has_destination(s))
                r = json_errors_add(errors, field, "must not be given with a destination");
        if (r >= 0 && s->parameters.chain == CHAIN_FLATTEN)
                r = json_errors_add(
                                errors, "parameters.chain", "must not be flatten with source.further_disks");
        for (size_t i = 0; i < n && r >= 0; i++) {
                const char *why = wrong_disk(s, i);
                if (why)
                        return json_errors_add(errors, field, "%s (in entry %zu)", why, i + 1);
        }
        return r;
}

int job_guest_check(JobSpec *s, const json_t *parameters, JsonErrors *errors) {
        int r = read_fix(s, errors);

        if (r < 0 || s->operation < 0)
                return r;
        r = check_further_disks(s, errors);
        if (r < 0)
                return r;
        if (s->operation != OPERATION_CONVERT)
                r = check_operation(s, errors);
        else if (s->parameters.fix != 0)
                r = check_destination(s, "parameters.fix", errors);
        return r < 0 ? r : check_details(s, parameters, errors);
}
