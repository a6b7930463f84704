/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SubmitJob: from text on the bus to a job that is durably queued. */

#include "manager/submit.h"

#include <stdio.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/carbon-feed.h"
#include "manager/credentials.h"
#include "manager/idle.h"
#include "manager/job-directory.h"
#include "manager/job-hold.h"
#include "manager/job-paths.h"
#include "manager/job-signal.h"
#include "manager/job-source.h"
#include "manager/manager.h"
#include "manager/slurm/slurm-feed.h"
#include "manager/submit-check.h"
#include "manager/submit-options.h"
#include "manager/submit-pool.h"
#include "manager/submit-secrets.h"
#include "manager/submit-tell.h"
#include "manager/webhook/outbox.h"
#include "manager/webhook/webhook.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"
#include "spec/job-demand.h"
#include "spec/job-limits.h"
#include "spec/warm-state.h"
#include "store/job-changes.h"
#include "store/jobs.h"

/* A submission on its way: its paths are being looked at, or its row is written and becomes durable with its
 * group. */
struct Submission {
        Manager *manager;
        Lookup *lookup;
        CarbonWaiter carbon; /* hyper-carbond is asked for the carbon intensity */
        sd_bus_slot *pool_call; /* hyper-hostd is asked for the directory of a storage pool */
        SubmitOptions options;
        char *id;
        char *text; /* the spec, where it may be needed once more */
        bool ignores_files;
        JobRow *row; /* once it is written */
        char *submitted; /* the reason of its first state, likewise */
        char **destinations; /* what it writes then, or NULL */
        char *server; /* that it reads from, or NULL */
        submit_done done;
        void *userdata;
        TAILQ_ENTRY(Submission) entries;
};

static bool writes_one_of(const Submission *s, char *const *destinations) {
        STRV_FOREACH(d, destinations)
                if (strv_contains(s->destinations, *d))
                        return true;
        return false;
}

/* Commits the group if a job of this id, or with one of these destinations, is written in it: then it is in
 * memory. */
static void settle_like(Manager *m, const char *id, char *const *destinations) {
        Submission *s;

        TAILQ_FOREACH(s, &m->submissions, entries) {
                if (!s->row || !(streq(s->id, id) || writes_one_of(s, destinations)))
                        continue;
                commit_group_settle(m->group);
                return;
        }
}

/* --- checks ---------------------------------------------------------------------------------------- */

/* Reads the job in the group: that does not commit what others have written. */
static int get_in_group(Manager *m, const char *id, JobRow **ret) {
        int r = commit_group_enter(m->group);

        if (r < 0)
                return r;
        r = store_job_get(m->store, id, ret);
        commit_group_leave(m->group, NULL, NULL);
        return r;
}

/* 1 if the very same job is there, 0 if there is none of that id. */
static int compare_with_existing(Manager *m, const JobSpec *spec, sd_bus_error *error) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_(job_spec_freep) JobSpec *existing = NULL;
        _cleanup_(job_row_freep) JobRow *row = NULL;
        _cleanup_json_ json_t *document = NULL;
        int r;

        settle_like(m, spec->job_id, NULL);
        r = get_in_group(m, spec->job_id, &row);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        document = json_loads(row->spec, 0, NULL);
        if (row->state == JOB_FAILED)
                return submit_refuse_failed(row, error);
        if (document && job_spec_from_json(document, &existing, &errors) >= 0 &&
                        job_spec_equal(existing, spec))
                return 1;
        return bus_error_setf(error, HYPER_BUS_ERROR_JOB_EXISTS,
                        "Job %s exists already, with another spec; use another id", spec->job_id);
}

/* What the job writes, with symbolic links resolved. */
static int resolved_destinations(const JobSpec *spec, const JobFiles *files, char ***ret) {
        return spec_destinations(spec,
                        job_spec_is_in_place(spec) ? files->source_path : files->destination_path, ret);
}

static int check_destination(Manager *m, const JobSpec *spec, const JobFiles *files, JsonErrors *fields,
                sd_bus_error *error) {
        _cleanup_strv_free_ char **destinations = NULL;
        const JobEndpoint *e = job_spec_has_destination(spec) ? &spec->destination : &spec->source;
        bool further = false;
        Job *other = NULL;
        int r = resolved_destinations(spec, files, &destinations);

        if (r < 0)
                return r;
        if (streq_ptr(files->source_path, files->destination_path) && files->source_path)
                return bus_error_add_field(fields, error, HYPER_BUS_ERROR_INVALID_SPEC, "destination.path",
                                "must not be the source itself");
        for (size_t i = 0; destinations && destinations[i] && !other; i++) {
                other = job_index_by_destination(&m->index, destinations[i]);
                further = i > 0;
        }
        if (!other)
                return 0;
        _cleanup_free_ char *field = strprintf("%s.%s", e == &spec->source ? "source" : "destination",
                        further ? "further_disks" : endpoint_field(e));
        return field ? bus_error_add_field(fields, error, HYPER_BUS_ERROR_INVALID_ARGUMENT, field,
                                       "job %s, which is not finished, writes there", other->row->id)
                     : -ENOMEM;
}

static int refuse_unrecorded(int r, sd_bus_error *error) {
        return r == -ENOMEM ? r
                            : bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                                              "The job could not be recorded: %s", strerror(-r));
}

/* --- acceptance ------------------------------------------------------------------------------------ */

/* Where symlinks led to, in @spec and in the row. */
static int take_resolved(const char *resolved, char **path, char **column) {
        int r;

        if (!resolved || streq(resolved, *path))
                return 0;
        r = free_and_strdup(path, resolved);
        return r < 0 ? r : free_and_strdup(column, resolved);
}

static int make_row(Manager *m, const JobSpec *spec, const char *text, const SubmitOptions *o,
                const JobDemand *demand, JobRow **ret) {
        _cleanup_(job_row_freep) JobRow *row = new0(JobRow, 1);

        if (!row)
                return -ENOMEM;
        row->id = strdup(spec->job_id);
        row->operation = strdup(job_operation_to_string(spec->operation));
        row->spec = job_spec_text(spec, text);
        row->dialect = strdup(o->dialect);
        row->request = o->request ? strdup(o->request) : NULL;
        row->reason = strprintf("Added to the queue with priority %u", spec->policy.priority);
        if (!row->id || !row->operation || !row->spec || !row->dialect || !row->reason ||
                        (o->request && !row->request))
                return -ENOMEM;
        if (o->submitted_by && !(row->submitter = strdup(o->submitted_by)))
                return -ENOMEM;
        row->state = JOB_QUEUED;
        row->role = o->role;
        row->priority = spec->policy.priority;
        row->retry_count = spec->policy.retry_count;
        row->idempotent = spec->policy.idempotent;
        row->timeout_seconds = spec->policy.timeout_seconds;
        row->any_worker = submit_may_go_elsewhere(spec, o);
        row->demand = job_demand_pack(demand);
        row->created_at = row->updated_at = m->clock();
        row->phase = _PHASE_INVALID;
        row->percent = -1;
        if (job_limits_from_spec(spec, &m->settings->storage, &row->limits) < 0)
                return -ENOMEM;
        if (spec->parameters.warm && !(row->warm = warm_state_first(spec)))
                return -ENOMEM;
        *ret = TAKE_PTR(row);
        return 0;
}

static const char validated[] = "Job spec validated";

/* The states of a new job. */
#define STATES 3u

static void make_states(
                const Submission *s, const JobRow *row, const char *queued, JobStateRow ret[static STATES]) {
        ret[0] = (JobStateRow){ JOB_CREATED, row->created_at, s->submitted };
        ret[1] = (JobStateRow){ JOB_VALIDATED, row->created_at, (char *) validated };
        ret[2] = (JobStateRow){ JOB_QUEUED, row->created_at, (char *) queued };
}

/* The journal has been told. The job's object is announced before it changes. */
static void tell_states(const Submission *s, Job *j, const char *spec) {
        JobStateRow states[STATES];

        make_states(s, j->row, j->row->reason, states);
        job_bus_announce(j, &(JobTexts){ spec, states, STATES });
        job_bus_became(j, JOB_CREATED, JOB_VALIDATED, validated);
        job_bus_became(j, JOB_VALIDATED, JOB_QUEUED, j->row->reason);
}

static void on_recorded(int r, void *userdata);

/* Writes the row of @s, which becomes durable with its group. */
static int write_row(Submission *s, sd_bus_error *error) {
        JobRow *row = s->row;
        Manager *m = s->manager;
        _cleanup_free_ char *queued = strdup(row->reason); /* the row's own is replaced */
        JobStateRow states[STATES];
        int r;

        _cleanup_free_ char *name = submitter_name_of(row->submitter);
        s->submitted = name ? strprintf("Job submitted via %s%s%s", s->options.dialect,
                                              isempty(name) ? "" : " by ", name)
                            : NULL;
        if (!s->submitted || !queued)
                return -ENOMEM;
        make_states(s, row, queued, states);
        r = commit_group_enter(m->group);
        if (r < 0)
                return r;
        r = store_job_insert(m->store, row, states, STATES);
        commit_group_leave(m->group, r < 0 ? NULL : on_recorded, s);
        return r < 0 ? refuse_unrecorded(r, error) : 0;
}

static int accept(Submission *s, JobSpec *spec, const JobFiles *files, JsonErrors *fields,
                sd_bus_error *error) {
        Manager *m = s->manager;
        JobDemand demand;
        int r;

        r = submit_check_demand(spec, &demand, fields, error);
        if (r >= 0)
                r = check_destination(m, spec, files, fields, error);
        if (r >= 0)
                r = make_row(m, spec, s->text, &s->options, &demand, &s->row);
        if (r >= 0 && spec->carbon.given)
                r = job_hold_submit(m, spec, s->row, fields, error);
        if (r < 0)
                return r;
        r = take_resolved(files->source_path, &spec->source.path, &s->row->source_path);
        if (r >= 0)
                r = take_resolved(
                                files->destination_path, &spec->destination.path, &s->row->destination_path);
        if (r >= 0)
                r = spec_destinations(spec, NULL, &s->destinations);
        if (r >= 0)
                r = free_and_strdup(&s->server, job_spec_server(spec));
        if (r >= 0)
                r = manager_store_secrets(
                                m, CREDENTIALS_OF_JOB, spec->job_id, spec, &s->options, fields, error);
        if (r >= 0)
                r = job_source_give_password(m, spec, error);
        if (r >= 0)
                r = write_row(s, error);
        if (r < 0) {
                s->row = job_row_free(s->row);
                (void) credentials_remove(m->state_directory, CREDENTIALS_OF_JOB, spec->job_id);
        }
        return r;
}

/* --- the way of a submission ----------------------------------------------------------------------- */

static Submission *submission_free(Submission *s) {
        if (!s)
                return NULL;
        if (s->lookup)
                lookup_cancel(s->lookup);
        sd_bus_slot_unref(s->pool_call);
        if (s->manager)
                carbon_feed_forget(s->manager->carbon, &s->carbon);
        if (s->manager)
                TAILQ_REMOVE(&s->manager->submissions, s, entries);
        submit_options_done(&s->options);
        job_row_free(s->row);
        free(s->submitted);
        strv_free(s->destinations);
        free(s->server);
        free(s->id);
        free(s->text);
        return mfree(s);
}
DEFINE_CLEANUP_FUNC(Submission *, submission_free);

void submissions_free(Manager *m) {
        while (!TAILQ_EMPTY(&m->submissions)) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                const JsonErrors none = {};
                _cleanup_(submission_freep) Submission *s = TAILQ_FIRST(&m->submissions);
                int r = bus_error_setf(
                                &error, HYPER_BUS_ERROR_UNAVAILABLE, "The service is ending; try again");

                s->done(m, r, s->id, false, &none, &error, s->userdata);
        }
}

static int parse_again(Submission *s, JobSpec **ret, JsonErrors *fields, sd_bus_error *error) {
        _cleanup_(job_spec_freep) JobSpec *spec = NULL;
        int r = submit_parse(s->manager, s->text, &spec, fields, error);

        if (r >= 0)
                r = job_spec_set_id(spec, s->id);
        if (r >= 0)
                *ret = TAKE_PTR(spec);
        return r;
}

/* Ends @s: its caller is told. */
static void submission_end(
                Submission *s, int r, bool created, const JsonErrors *fields, sd_bus_error *error) {
        Manager *m = s->manager;

        s->done(m, r, s->id, created, fields, error, s->userdata);
        submission_free(s);
        idle_lookup_done(m);
}

/* The job of @s is durable: memory follows, and all are told. */
static int take_into_memory(Submission *s) {
        _cleanup_free_ char *spec = TAKE_PTR(s->row->spec); /* memory does not keep it */
        Manager *m = s->manager;
        Job *j;
        int r = manager_add_job(m, TAKE_PTR(s->row), s->destinations, s->server, &j);

        if (r < 0)
                return r;
        tell_states(s, j, spec);
        submit_tell(j, s->options.warnings);
        job_hold_submitted(j);
        slurm_feed_job_changed(j);
        outbox_wake(m->outbox);
        queue_wake(m);
        return 0;
}

static void on_recorded(int r, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const JsonErrors none = {};
        Submission *s = userdata;
        Manager *m = s->manager;

        if (r >= 0)
                r = take_into_memory(s);
        else {
                (void) credentials_remove(m->state_directory, CREDENTIALS_OF_JOB, s->id);
                r = refuse_unrecorded(r, &error);
        }
        submission_end(s, r, true, &none, &error);
}

/* 0: the row is written, and on_recorded() goes on. 1: the same job has been submitted meanwhile, and is
 * there. */
static int accept_looked_at(Submission *s, JobSpec *spec, JobFiles *files, int looked, const JsonErrors *why,
                JsonErrors *fields, sd_bus_error *error) {
        _cleanup_(job_spec_freep) JobSpec *again = NULL;
        _cleanup_strv_free_ char **destinations = NULL;
        JobFiles none = {};
        int r;

        if (looked < 0 && !(why->n_errors > 0 && s->ignores_files))
                return submit_refuse_files(looked, why, fields, error);
        if (!spec) {
                r = parse_again(s, &again, fields, error);
                if (r < 0)
                        return r;
                spec = again;
        }
        if (looked < 0)
                files = &none;
        r = resolved_destinations(spec, files, &destinations);
        if (r < 0)
                return r;
        settle_like(s->manager, s->id, destinations);
        r = compare_with_existing(s->manager, spec, error);
        return r != 0 ? r : accept(s, spec, files, fields, error);
}

static void on_looked_at(JobSpec *spec, JobFiles *files, int looked, const JsonErrors *why, void *userdata) {
        _cleanup_(json_errors_done) JsonErrors fields = {};
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Submission *s = userdata;
        int r;

        s->lookup = NULL;
        r = accept_looked_at(s, spec, files, looked, why, &fields, &error);
        if (r != 0)
                submission_end(s, r < 0 ? r : 0, false, &fields, &error);
}

/* This machine does not do it: the paths are those of the worker. */
static bool is_for_workers(const Submission *s, const JobSpec *spec) {
        return spec->executor == JOB_EXECUTOR_SLURM || !job_operation_is_built_in(spec->operation) ||
                        (s->ignores_files && !s->manager->settings->worker.local);
}

/* Has the paths looked at, where that is of use; @spec is consumed. */
static int look_at_files(Submission *s, JobSpec *spec, JsonErrors *fields, sd_bus_error *error) {
        const JobFiles none = {};
        _cleanup_(path_rules_done) PathRules rules = {};
        _cleanup_(job_spec_freep) JobSpec *taken = spec;
        _cleanup_(json_errors_done) JsonErrors why = {};
        int r = submit_may_ignore_files(s->manager, spec, &s->options, &s->ignores_files);

        if (r < 0)
                return r;
        if (is_for_workers(s, spec)) {
                _cleanup_strv_free_ char **destinations = NULL;
                r = spec_destinations(spec, NULL, &destinations);
                if (r < 0)
                        return r;
                settle_like(s->manager, s->id, destinations);
                return accept(s, spec, &none, fields, error);
        }
        r = path_rules_init(&rules, s->manager->settings, s->options.role);
        if (r >= 0)
                r = lookup_start(s->manager->lookups, TAKE_PTR(taken), &rules, job_files_resolve,
                                on_looked_at, s, &s->lookup, &why);
        return r < 0 ? submit_refuse_files(r, &why, fields, error) : 0;
}

/* Takes @options, also on failure. */
static int submission_new(Manager *m, const char *text, const char *id, SubmitOptions *options,
                submit_done done, void *userdata, Submission **ret) {
        _cleanup_(submission_freep) Submission *s = new0(Submission, 1);

        if (!s) {
                submit_options_done(options);
                return -ENOMEM;
        }
        s->options = *options;
        *options = (SubmitOptions){};
        s->id = strdup(id);
        s->text = strdup(text);
        if (!s->id || !s->text)
                return -ENOMEM;
        s->manager = m;
        s->done = done;
        s->userdata = userdata;
        TAILQ_INSERT_TAIL(&m->submissions, s, entries);
        *ret = TAKE_PTR(s);
        return 0;
}

/* Takes @spec, also on failure. */
static int submit_spec(Manager *m, const char *text, JobSpec *taken, SubmitOptions *options,
                submit_done done, void *userdata, JsonErrors *fields, sd_bus_error *error) {
        _cleanup_(submission_freep) Submission *s = NULL;
        _cleanup_(job_spec_freep) JobSpec *spec = taken;
        _cleanup_free_ char *id = NULL;
        JobDemand demand;
        int r = 0;

        if (spec->job_id)
                r = compare_with_existing(m, spec, error);
        else {
                r = job_id_make(&id);
                if (r >= 0)
                        r = job_spec_set_id(spec, id);
        }
        if (r > 0) {
                done(m, 0, spec->job_id, false, fields, error, userdata);
                return 0;
        }
        if (r >= 0)
                r = submit_check_operation(m, spec, options, fields, error);
        if (r >= 0)
                r = submit_check_demand(spec, &demand, fields, error);
        if (r < 0)
                return r;
        r = submission_new(m, text, spec->job_id, options, done, userdata, &s);
        if (r >= 0)
                r = look_at_files(s, TAKE_PTR(spec), fields, error);
        if (r < 0)
                return r;
        TAKE_PTR(s);
        return 0;
}

/* --- a storage pool -------------------------------------------------------------------------------- */

static int submit_with_path(Submission *s, sd_bus_message *reply, JsonErrors *fields, sd_bus_error *error) {
        _cleanup_(job_spec_freep) JobSpec *spec = NULL, *with_path = NULL;
        _cleanup_free_ char *text = NULL;
        int r = submit_parse(s->manager, s->text, &spec, fields, error);

        if (r >= 0)
                r = submit_pool_read(reply, s->text, spec, &text, fields, error);
        if (r >= 0)
                r = submit_parse(s->manager, text, &with_path, fields, error);
        return r < 0 ? r
                     : submit_spec(s->manager, text, TAKE_PTR(with_path), &s->options, s->done, s->userdata,
                                       fields, error);
}

static int on_pool(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        _cleanup_(json_errors_done) JsonErrors fields = {};
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Submission *s = userdata;
        s->pool_call = sd_bus_slot_unref(s->pool_call);
        int r = submit_with_path(s, reply, &fields, &error);
        if (r < 0)
                submission_end(s, r, false, &fields, &error);
        else
                submission_free(s); /* another one goes on */
        return 0;
}

static int ask_for_pool(Manager *m, const char *text, const JobSpec *spec, SubmitOptions *options,
                submit_done done, void *userdata) {
        _cleanup_(submission_freep) Submission *s = NULL;
        int r = submission_new(m, text, strempty(spec->job_id), options, done, userdata, &s);

        if (r >= 0)
                r = submit_pool_ask(m, spec, on_pool, s, &s->pool_call);
        if (r < 0)
                return r;
        TAKE_PTR(s);
        return 0;
}

/* --- the carbon intensity -------------------------------------------------------------------------- */

static int submit_or_ask(Manager *m, const char *text, JobSpec *spec, SubmitOptions *options,
                submit_done done, void *userdata, JsonErrors *fields, sd_bus_error *error) {
        _cleanup_(job_spec_freep) JobSpec *taken = spec;

        if (submit_has_pool(spec))
                return ask_for_pool(m, text, spec, options, done, userdata);
        return submit_spec(m, text, TAKE_PTR(taken), options, done, userdata, fields, error);
}

static void on_carbon(Manager *m, void *userdata) {
        _cleanup_(json_errors_done) JsonErrors fields = {};
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(job_spec_freep) JobSpec *spec = NULL;
        Submission *s = userdata;
        int r = submit_parse(m, s->text, &spec, &fields, &error);

        if (r >= 0)
                r = submit_or_ask(m, s->text, TAKE_PTR(spec), &s->options, s->done, s->userdata, &fields,
                                &error);
        if (r < 0)
                submission_end(s, r, false, &fields, &error);
        else
                submission_free(s); /* another one goes on */
}

static int ask_for_carbon(Manager *m, const char *text, const JobSpec *spec, SubmitOptions *options,
                submit_done done, void *userdata) {
        _cleanup_(submission_freep) Submission *s = NULL;
        int r = submission_new(m, text, strempty(spec->job_id), options, done, userdata, &s);

        if (r < 0)
                return r;
        s->carbon.done = on_carbon;
        s->carbon.userdata = s;
        r = carbon_feed_ask(m->carbon, &s->carbon);
        if (r < 0)
                return r;
        TAKE_PTR(s);
        return 0;
}

int manager_submit(Manager *m, const char *text, SubmitOptions *options, submit_done done, void *userdata,
                JsonErrors *fields, sd_bus_error *error) {
        _cleanup_(job_spec_freep) JobSpec *spec = NULL;
        int r = submit_parse(m, text, &spec, fields, error);

        if (r < 0)
                return r;
        if (spec->carbon.given && !carbon_feed_is_fresh(m->carbon))
                return ask_for_carbon(m, text, spec, options, done, userdata);
        return submit_or_ask(m, text, TAKE_PTR(spec), options, done, userdata, fields, error);
}
