/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "manager/job-retry.h"
#include "store/jobs.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/job-source.h"
#include "manager/manager.h"
#include "manager/submit-options.h"
#include "manager/submit-secrets.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"
#include "spec/job-secrets.h"
#include "spec/job-spec.h"

static int wrong_state(const char *id, JobState state, sd_bus_error *error) {
        return bus_error_setf(error, HYPER_BUS_ERROR_WRONG_STATE,
                        "Job %s is %s; only a job that is FAILED can be retried", id,
                        job_state_to_string(state));
}

/* Reads the job, if it is one that may be retried by @role. */
static int read_failed(Manager *m, const char *id, Role role, JobRow **ret, sd_bus_error *error) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        Job *j = manager_get_job(m, id);
        int r;

        if (j && !job_is_finished(j))
                return wrong_state(id, j->row->state, error);
        if (j)
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                                "The last attempt of job %s is still ending; try again in a moment", id);
        r = job_id_is_valid(id) ? store_job_get(m->store, id, &row) : -ENOENT;
        if (r == -ENOENT)
                return no_such_job(error, id);
        if (r < 0)
                return r;
        if (row->state != JOB_FAILED)
                return wrong_state(id, row->state, error);
        if (row->role > role)
                return bus_error_setf(error, HYPER_BUS_ERROR_ACCESS_DENIED,
                                "Job %s was submitted by an %s, whose role is needed to retry it", id,
                                role_to_string(row->role));
        *ret = TAKE_PTR(row);
        return 0;
}

static bool is_given(char *const *secrets, const char *name) {
        for (; secrets && secrets[0] && secrets[1]; secrets += 2)
                if (streq(secrets[0], name))
                        return true;
        return false;
}

/* Secrets are removed when a job ends. */
static int check_secrets(
                const JobSpec *spec, const SubmitOptions *options, JsonErrors *fields, sd_bus_error *error) {
        _cleanup_strv_free_ char **names = NULL;
        int r = job_secrets_list(spec->document, &names);

        if (r < 0)
                return r;
        STRV_FOREACH(name, names)
                if (!is_given(options->secrets, *name) &&
                                !(job_source_is_stored(spec) && streq(*name, "source.password")))
                        return bus_error_add_field(fields, error, HYPER_BUS_ERROR_INVALID_ARGUMENT, *name,
                                        "this secret was removed when job %s failed; give it again, with "
                                        "\"hyperctl retry %s --secret=%s:FILE\" or in the field secrets of "
                                        "the request",
                                        spec->job_id, spec->job_id, *name);
        return 0;
}

static int check_destinations(Manager *m, const JobSpec *spec, sd_bus_error *error) {
        _cleanup_strv_free_ char **destinations = NULL;
        int r = spec_destinations(spec, NULL, &destinations);

        if (r < 0)
                return r;
        STRV_FOREACH(destination, destinations) {
                Job *other = job_index_by_destination(&m->index, *destination);
                if (other)
                        return bus_error_setf(error, HYPER_BUS_ERROR_WRONG_STATE,
                                        "Job %s writes to %s, too: retry job %s when it has ended",
                                        other->row->id, *destination, spec->job_id);
        }
        return 0;
}

/* Brings the job back into memory. Takes @row. */
static int add_again(Manager *m, JobRow *row, const JobSpec *spec, Job **ret) {
        /* What the bus shows of it is this job from now on. */
        m->finished = job_free(m->finished);
        return manager_add_job_of_spec(m, row, spec, ret);
}

int manager_retry_job(Manager *m, const char *id, const SubmitOptions *options, JsonErrors *fields,
                sd_bus_error *error) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        _cleanup_(job_spec_freep) JobSpec *spec = NULL;
        Job *j;
        int r;

        /* What is just being submitted may write to the same place. */
        commit_group_settle(m->group);
        r = read_failed(m, id, options->role, &row, error);
        if (r < 0)
                return r;
        r = manager_load_spec(m, id, &spec);
        if (r == -EBADMSG)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_SPEC,
                                "The spec of job %s cannot be read by this version; submit the job anew",
                                id);
        if (r >= 0)
                r = check_secrets(spec, options, fields, error);
        if (r >= 0)
                r = check_destinations(m, spec, error);
        if (r >= 0)
                r = manager_store_secrets(m, CREDENTIALS_OF_JOB, id, spec, options, fields, error);
        if (r >= 0)
                r = job_source_give_password(m, spec, error);
        if (r < 0)
                return r;
        r = add_again(m, TAKE_PTR(row), spec, &j);
        if (r < 0)
                return r;
        r = job_follow(j, job_requeue(j, "Retried on request"));
        if (r < 0) {
                manager_forget_job(m, j);
                return r == -ENOMEM ? r
                                    : bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                                                      "The retry could not be recorded: %s",
                                                      store_error_text(m->store));
        }
        queue_wake(m);
        return 0;
}
