/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "manager/submit-check.h"

#include <unistd.h>

#include "basic/string-util.h"
#include "manager/job-source.h"
#include "shared/bus-fields.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"
#include "spec/placement.h"

int submit_parse(Manager *m, const char *text, JobSpec **ret, JsonErrors *fields, sd_bus_error *error) {
        _cleanup_(job_spec_freep) JobSpec *spec = NULL;
        int r;

        if (strlen(text) > JOB_SPEC_MAX)
                return bus_error_setf(error, HYPER_BUS_ERROR_TOO_LARGE,
                                "The spec must be at most %zu bytes long", JOB_SPEC_MAX);
        r = job_spec_parse(text, strlen(text), &spec, fields);
        if (r == -EBADMSG)
                return bus_error_set_fields(error, HYPER_BUS_ERROR_INVALID_SPEC, fields);
        if (r >= 0)
                r = job_source_resolve(m, spec, error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(spec);
        return 0;
}

int submit_refuse_failed(const JobRow *row, sd_bus_error *error) {
        char at[RFC3339_SIZE];

        return bus_error_setf(error, HYPER_BUS_ERROR_JOB_EXISTS,
                        "Job %s exists already and failed at %s; use another id, or retry it (hyperctl "
                        "retry %s, "
                        "POST /jobs/%s/retry)",
                        row->id, format_rfc3339(at, row->finished_at), row->id, row->id);
}

int submit_check_demand(const JobSpec *spec, JobDemand *ret, JsonErrors *fields, sd_bus_error *error) {
        int r = job_demand_from_spec(spec, ret, fields);

        return r == -EBADMSG ? bus_error_set_fields(error, HYPER_BUS_ERROR_INVALID_SPEC, fields) : r;
}

static bool has_secrets(const JobSpec *spec, const SubmitOptions *o) {
        return strv_length(o->secrets) > 0 || json_object_size(spec->secrets) > 0 ||
                        job_source_is_stored(spec);
}

bool submit_may_go_elsewhere(const JobSpec *spec, const SubmitOptions *o) {
        return (o->any_worker || spec->executor == JOB_EXECUTOR_SLURM) && !has_secrets(spec, o) &&
                        spec->destination.type != ENDPOINT_KVM && !spec->carbon.given;
}

/* hyper-guest is a package of its own. */
static int check_guest(Manager *m, const JobSpec *spec, JsonErrors *fields, sd_bus_error *error) {
        bool fix = spec->operation == OPERATION_CONVERT;

        if (!job_spec_has_guest(spec) || access(m->guest_program, X_OK) >= 0)
                return 0;
        return bus_error_add_field(fields, error, HYPER_BUS_ERROR_INVALID_SPEC,
                        fix ? "parameters.fix" : "operation",
                        "guests are neither inspected nor changed on this machine, since %s is missing: "
                        "install the package hyper-guest%s",
                        m->guest_program,
                        fix ? ", or set parameters.fix to none, and the guest is copied as it is" : "");
}

static int check_slurm(Manager *m, const JobSpec *spec, const SubmitOptions *o, JsonErrors *fields,
                sd_bus_error *error) {
        if (spec->executor != JOB_EXECUTOR_SLURM)
                return 0;
        if (!m->settings->slurm.url)
                return bus_error_add_field(fields, error, HYPER_BUS_ERROR_INVALID_SPEC, "executor",
                                "this machine does not hand jobs over to Slurm: slurm.url is not set in its "
                                "configuration");
        if (!submit_may_go_elsewhere(spec, o))
                return bus_error_add_field(fields, error, HYPER_BUS_ERROR_INVALID_SPEC, "executor",
                                "slurm is not for a job that has a secret or a named source, defines a "
                                "domain, or waits for a low carbon intensity: it stays on this machine");
        return 0;
}

/* A job that stays on this machine. */
static int check_placement(Manager *m, const JobSpec *spec, const SubmitOptions *o, JsonErrors *fields,
                sd_bus_error *error) {
        _cleanup_strv_free_ char **words = NULL;
        _cleanup_free_ char *labels = NULL;
        int r;

        if (submit_may_go_elsewhere(spec, o))
                return 0;
        labels = labels_to_text(m->settings->worker.labels);
        r = labels ? job_placement_add_words(spec, &m->settings->storage, &words) : -ENOMEM;
        if (r < 0)
                return r;
        STRV_FOREACH(word, words) {
                const char *label = *word + 1;

                if (placement_is_preference(*word) || placement_is_met(*word, labels))
                        continue;
                if (!placement_is_needed(*word))
                        return bus_error_add_field(fields, error, HYPER_BUS_ERROR_INVALID_SPEC,
                                        "placement.none",
                                        "this machine has the label \"%s\": submit the job for workers, with "
                                        "queue=true or the option any-worker",
                                        label);
                if (strv_contains(spec->placement.all, label))
                        return bus_error_add_field(fields, error, HYPER_BUS_ERROR_INVALID_SPEC,
                                        "placement.all",
                                        "this machine does not have the label \"%s\" (worker.labels in its "
                                        "configuration): submit the job for workers, with queue=true or the "
                                        "option any-worker",
                                        label);
                return bus_error_add_field(fields, error, HYPER_BUS_ERROR_INVALID_SPEC, "placement",
                                "only machines with the label \"%s\" have the storage of the job's files "
                                "(storage in the configuration), and this machine does not have it: submit "
                                "the job for workers, with queue=true or the option any-worker",
                                label);
        }
        return 0;
}

int submit_check_operation(Manager *m, const JobSpec *spec, const SubmitOptions *o, JsonErrors *fields,
                sd_bus_error *error) {
        const char *operation = job_operation_to_string(spec->operation);
        int r = check_slurm(m, spec, o, fields, error);

        if (r >= 0)
                r = check_placement(m, spec, o, fields, error);
        if (r < 0)
                return r;
        if (job_operation_is_built_in(spec->operation))
                return submit_may_go_elsewhere(spec, o) ? 0 : check_guest(m, spec, fields, error);
        if (!o->any_worker && spec->executor != JOB_EXECUTOR_SLURM)
                return bus_error_add_field(fields, error, HYPER_BUS_ERROR_INVALID_SPEC, "operation",
                                "this machine does not carry out %s: submit the job with queue=true in the "
                                "worker API, or the option any-worker on the bus, and a worker does",
                                operation);
        if (has_secrets(spec, o))
                return bus_error_add_field(fields, error, HYPER_BUS_ERROR_INVALID_SPEC, "operation",
                                "%s is done by workers, and a job with a secret stays on this "
                                "machine",
                                operation);
        return 0;
}

int submit_may_ignore_files(Manager *m, const JobSpec *spec, const SubmitOptions *o, bool *ret) {
        bool any = true;
        int r = 0;

        if (submit_may_go_elsewhere(spec, o) && m->settings->worker.local &&
                        spec->executor != JOB_EXECUTOR_SLURM) {
                r = commit_group_enter(m->group);
                if (r < 0)
                        return r;
                r = store_workers_can(m->store, &(JobDemand){}, &any);
                commit_group_leave(m->group, NULL, NULL);
        }
        if (r >= 0)
                *ret = submit_may_go_elsewhere(spec, o) && any;
        return r;
}
