/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Schedules as rows: created, changed, deleted. Their timers are made in schedule-timer.c, their runs in
 * schedule-run.c. */

#include "manager/schedule/schedule.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "journal/schedule-event.h"
#include "manager/credentials.h"
#include "manager/job-directory.h"
#include "manager/manager.h"
#include "manager/schedule/schedule-definition.h"
#include "manager/schedule/schedule-run.h"
#include "manager/schedule/schedule-signal.h"
#include "manager/schedule/schedule-timer.h"
#include "manager/schedule/schedule-times.h"
#include "manager/submit-options.h"
#include "manager/submit-secrets.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"
#include "spec/cron.h"
#include "spec/job-spec.h"
#include "store/schedule-runs.h"
#include "store/sources.h"

/* Takes over what @d has that is set; @d's strings are moved. */
static int apply(ScheduleRow *row, ScheduleDefinition *d, const SubmitOptions *o) {
        const struct {
                char **from, **to;
        } texts[] = { { &d->name, &row->name }, { &d->description, &row->description },
                { &d->schedule, &row->expression } };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (*texts[i].from) {
                        free(*texts[i].to);
                        *texts[i].to = TAKE_PTR(*texts[i].from);
                }
        row->enabled = d->enabled;
        row->catch_up = d->catch_up;
        row->overlap = d->overlap;
        if (d->spec) {
                free(row->spec);
                row->spec = json_dumps(d->spec->document, JSON_COMPACT);
                if (!row->spec)
                        return -ENOMEM;
        }
        if (d->spec) {
                row->role = o->role;
                if (free_and_strdup(&row->request, o->request) < 0 ||
                                free_and_strdup(&row->dialect, o->dialect) < 0 ||
                                free_and_strdup(&row->submitter, o->submitted_by) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* --- changes --------------------------------------------------------------------------------------- */

static int store_failed(Manager *m, int r, const char *what, const char *id, sd_bus_error *error) {
        if (r == -ENOMEM)
                return r;
        if (r == -ENOENT)
                return schedule_not_found(id, error);
        if (r == -EEXIST)
                return bus_error_setf(
                                error, HYPER_BUS_ERROR_SCHEDULE_EXISTS, "Schedule %s exists already", id);
        return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE, "The schedule could not be %s: %s", what,
                        store_error_text(m->store));
}

static int get_row(Manager *m, const char *id, ScheduleRow **ret, sd_bus_error *error) {
        int r = schedule_id_is_valid(id) ? store_schedule_get(m->store, id, ret) : -ENOENT;

        return r < 0 ? store_failed(m, r, "read", id, error) : 0;
}

static int decode(const char *text, bool create, ScheduleDefinition *d, JsonErrors *fields,
                sd_bus_error *error) {
        int r;

        if (strlen(text) > JOB_SPEC_MAX)
                return bus_error_setf(error, HYPER_BUS_ERROR_TOO_LARGE,
                                "The schedule must be at most %zu bytes long", JOB_SPEC_MAX);
        r = schedule_definition_decode(text, create, d, fields);
        return r == -EBADMSG ? bus_error_set_fields(error, HYPER_BUS_ERROR_INVALID_SCHEDULE, fields) : r;
}

/* --- secrets --------------------------------------------------------------------------------------- */

static void drop_secrets(Manager *m, const char *set) {
        int r = set ? credentials_remove(m->state_directory, CREDENTIALS_OF_SCHEDULE, set) : 0;

        if (r < 0)
                log_warning_errno(r, "Failed to remove secrets of a schedule: %m");
}

/* Writes the secrets of a schedule's job as a set of their own: its name in *ret (caller frees), or NULL if
 * there are none. */
static int make_secrets(Manager *m, const JobSpec *spec, const SubmitOptions *options, char **ret,
                JsonErrors *fields, sd_bus_error *error) {
        _cleanup_free_ char *set = NULL;
        int r;

        if (json_object_size(spec->secrets) == 0 && strv_length(options->secrets) == 0) {
                *ret = NULL;
                return 0;
        }
        r = job_id_make(&set);
        if (r < 0)
                return r;
        r = manager_store_secrets(m, CREDENTIALS_OF_SCHEDULE, set, spec, options, fields, error);
        if (r < 0) {
                drop_secrets(m, set);
                return r;
        }
        *ret = TAKE_PTR(set);
        return 0;
}

/* Of those that have ended, too, as long as something of them is to be tidied up. */
static int add_jobs(Manager *m, CredentialOwners *owners) {
        _cleanup_strv_free_ char **ids = NULL;
        Job *j, *next;
        int r = job_directories_list(m->state_directory, &ids);

        STRV_FOREACH(id, ids) {
                if (r < 0)
                        return r;
                r = credential_owners_add(owners, CREDENTIALS_OF_JOB, *id);
        }
        HASH_ITER(hh, m->jobs, j, next) {
                if (r < 0)
                        return r;
                r = credential_owners_add(owners, CREDENTIALS_OF_JOB, j->row->id);
        }
        return r;
}

int manager_sweep_secrets(Manager *m) {
        _cleanup_(credential_owners_done) CredentialOwners owners = {};
        _cleanup_(schedule_rows_done) ScheduleRows rows = {};
        _cleanup_(source_rows_done) SourceRows sources = {};
        int r = store_schedules_list(m->store, 0, 0, &rows);

        for (size_t i = 0; r >= 0 && i < rows.n; i++)
                if (rows.rows[i]->credentials)
                        r = credential_owners_add(
                                        &owners, CREDENTIALS_OF_SCHEDULE, rows.rows[i]->credentials);
        if (r >= 0)
                r = store_sources_list(m->store, &sources);
        for (size_t i = 0; r >= 0 && i < sources.n; i++)
                r = credential_owners_add(&owners, CREDENTIALS_OF_SOURCE, sources.rows[i].credentials);
        if (r >= 0)
                r = add_jobs(m, &owners);
        return r < 0 ? r : credentials_sweep(m->state_directory, &owners);
}

int manager_create_schedule(Manager *m, const char *text, const SubmitOptions *options, char **ret_id,
                JsonErrors *fields, sd_bus_error *error) {
        _cleanup_(schedule_definition_done) ScheduleDefinition d = {
                .enabled = true, .catch_up = true, .overlap = OVERLAP_SKIP
        };
        _cleanup_(schedule_row_freep) ScheduleRow *row = new0(ScheduleRow, 1);
        int r = row ? decode(text, true, &d, fields, error) : -ENOMEM;

        if (r >= 0 && !d.id)
                r = job_id_make(&d.id);
        if (r < 0)
                return r;

        row->id = strdup(d.id);
        row->name = strdup(d.id);
        row->description = strdup("");
        row->created_at = row->updated_at = m->clock();
        if (!row->id || !row->name || !row->description || (r = apply(row, &d, options)) < 0)
                return -ENOMEM;
        row->next_at = schedule_next(row, row->created_at);

        r = make_secrets(m, d.spec, options, &row->credentials, fields, error);
        if (r < 0)
                return r;
        r = store_schedule_insert(m->store, row);
        if (r < 0) {
                drop_secrets(m, row->credentials);
                return store_failed(m, r, "recorded", row->id, error);
        }
        schedule_timer_set(m, row);
        schedule_bus_emit(m, "ScheduleNew", row->id);
        *ret_id = TAKE_PTR(row->id);
        return 0;
}

/* Commits the row with the secrets that came with @spec, if that is set; until then the old ones are in
 * force. */
static int update_with_secrets(Manager *m, ScheduleRow *row, const JobSpec *spec,
                const SubmitOptions *options, JsonErrors *fields, sd_bus_error *error) {
        _cleanup_free_ char *old = NULL;
        int r;

        if (spec) {
                old = TAKE_PTR(row->credentials);
                r = make_secrets(m, spec, options, &row->credentials, fields, error);
                if (r < 0)
                        return r;
        }
        r = store_schedule_update(m->store, row);
        if (r < 0) {
                if (spec)
                        drop_secrets(m, row->credentials);
                return store_failed(m, r, "changed", row->id, error);
        }
        drop_secrets(m, old);
        return 0;
}

int manager_update_schedule(Manager *m, const char *id, const char *changes, const SubmitOptions *options,
                JsonErrors *fields, sd_bus_error *error) {
        _cleanup_(schedule_row_freep) ScheduleRow *row = NULL;
        _cleanup_(schedule_definition_done) ScheduleDefinition d = {};
        usec_t now = m->clock();
        int r = get_row(m, id, &row, error);

        if (r < 0)
                return r;
        d.enabled = row->enabled;
        d.catch_up = row->catch_up;
        d.overlap = row->overlap;
        r = decode(changes, false, &d, fields, error);
        if (r < 0)
                return r;
        if (d.id && !streq(d.id, id))
                return bus_error_add_field(fields, error, HYPER_BUS_ERROR_INVALID_SCHEDULE, "id",
                                "must stay as it is; delete the schedule and create another");

        /* What is due by the old expression still runs: its timer may have fired a moment ago. */
        bool was_enabled = row->enabled, changed = d.schedule && !streq(d.schedule, row->expression);
        usec_t due = row->enabled && row->next_at > 0 && row->next_at <= now ? row->next_at : 0;
        r = apply(row, &d, options);
        if (r < 0)
                return r;
        row->updated_at = now;
        if (!row->enabled)
                row->next_at = 0;
        else if (due > 0)
                row->next_at = due;
        else if (changed || !was_enabled)
                row->next_at = schedule_next(row, now);
        r = update_with_secrets(m, row, d.spec, options, fields, error);
        if (r < 0)
                return r;
        if (changed || was_enabled != row->enabled)
                schedule_timer_set(m, row);
        schedule_bus_emit(m, "ScheduleChanged", id);
        if (due > 0 && row->enabled) {
                _cleanup_(sd_bus_error_free) sd_bus_error ignored = SD_BUS_ERROR_NULL;
                _cleanup_(json_errors_done) JsonErrors unread = {};

                (void) schedule_trigger(m, id, true, NULL, &unread, &ignored);
        }
        return 0;
}

int manager_delete_schedule(Manager *m, const char *id, sd_bus_error *error) {
        _cleanup_(schedule_row_freep) ScheduleRow *row = NULL;
        int r = get_row(m, id, &row, error);

        if (r < 0)
                return r;
        r = store_schedule_delete(m->store, id);
        if (r < 0)
                return store_failed(m, r, "deleted", id, error);
        drop_secrets(m, row->credentials);
        schedule_timer_remove(m, id);
        schedule_bus_emit(m, "ScheduleRemoved", id);
        return 0;
}

/* --- as JSON --------------------------------------------------------------------------------------- */

static json_t *runs_json(Store *store, const char *id) {
        _cleanup_(schedule_runs_done) ScheduleRuns runs = {};
        _cleanup_json_ json_t *list = json_array();

        if (!list || store_schedule_runs_list(store, id, 10, &runs) < 0)
                return NULL;
        for (size_t i = 0; i < runs.n; i++) {
                char buf[RFC3339_SIZE];

                if (json_array_append_new(list,
                                    json_pack("{s:s, s:s?, s:s}", "started_at",
                                                    format_rfc3339(buf, runs.runs[i].started_at), "job_id",
                                                    runs.runs[i].job_id, "status", runs.runs[i].status)) < 0)
                        return NULL;
        }
        return TAKE_PTR(list);
}

int schedule_details(Store *store, const ScheduleRow *row, char **ret) {
        _cleanup_strv_free_ char **lines = NULL;
        _cleanup_json_ json_t *object = NULL, *calendar = json_array();
        char *text;

        (void) schedule_calendar(row, NULL, &lines);
        STRV_FOREACH(l, lines)
                (void) json_array_append_new(calendar, json_string(*l));
        object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:O, s:b, s:s, s:b, s:o, s:o, s:o, s:s?, s:s?, s:I, "
                           "s:I, s:I, s:o, s:o, s:o, s:o}",
                        "id", row->id, "name", row->name, "description", row->description, "role",
                        role_to_string(row->role), "schedule", row->expression, "on_calendar", calendar,
                        "enabled", row->enabled, "overlap_policy", schedule_overlap_to_string(row->overlap),
                        "catch_up", row->catch_up, "job", json_loads(row->spec, 0, NULL), "last_run",
                        json_time(row->last_run_at), "next_run", json_time(row->next_at), "last_job_id",
                        row->last_job_id, "last_status", row->last_status, "run_count",
                        (json_int_t) row->run_count, "success_count", (json_int_t) row->success_count,
                        "failure_count", (json_int_t) row->failure_count, "created_at",
                        json_time(row->created_at), "updated_at", json_time(row->updated_at), "runs",
                        runs_json(store, row->id), "submitter",
                        row->submitter ? json_loads(row->submitter, 0, NULL) : json_null());
        text = object ? json_dumps(object, JSON_COMPACT) : NULL;
        if (!text)
                return -ENOMEM;
        *ret = text;
        return 0;
}
