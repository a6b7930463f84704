/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs of schedules. A firing is served when the database says so: in one transaction the run is noted, with
 * the id its job will have, and the next time is set. A timer that fires twice, a clock that is set back, a
 * manager that dies in between: the first finds next_at in the future, and a run that was promised is
 * submitted under the id it was promised. */

#include "manager/schedule/schedule-run.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "journal/schedule-event.h"
#include "manager/credentials.h"
#include "manager/manager.h"
#include "manager/schedule/schedule-signal.h"
#include "manager/schedule/schedule-timer.h"
#include "manager/schedule/schedule-times.h"
#include "manager/submit-options.h"
#include "manager/submit.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"
#include "spec/job-spec.h"
#include "spec/job-template.h"
#include "store/schedule-runs.h"

/* Waiting runs of one schedule; beyond that they are skipped. */
#define WAITING_MAX 100u
static char *make_job_id(const char *schedule_id, usec_t now) {
        time_t t = (time_t) (now / USEC_PER_SEC);
        char stamp[sizeof("20261121T020000Z")];
        uint16_t random = 0;
        struct tm tm;

        if (!gmtime_r(&t, &tm) || strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm) == 0 ||
                        getrandom(&random, sizeof(random), 0) < 0)
                return NULL;
        return strprintf("%s-%s-%04x", schedule_id, stamp, random);
}

static void tell(ScheduleEventKind kind, const char *id, const char *job_id, char *message) {
        int r = message ? schedule_event_send(kind, id, job_id, message) : -ENOMEM;

        if (r < 0)
                log_warning_errno(r, "Failed to log what happened to schedule %s: %m", id);
        free(message);
}

/* --- the job of a run ------------------------------------------------------------------------------ */

static int run_refused(Manager *m, const ScheduleRun *run, const char *why) {
        int r = store_schedule_run_change(m->store, run->seq, run->schedule_id, NULL, RUN_REFUSED);

        tell(SCHEDULE_FAILED, run->schedule_id, NULL,
                        strprintf("Schedule %s could not submit its job: %s", run->schedule_id, why));
        schedule_bus_emit(m, "ScheduleChanged", run->schedule_id);
        return r;
}

/* Each run needs an output of its own: "{job_id}" in where it goes stands for the id of the run's job. */
static int name_output(json_t *spec, const char *job_id) {
        static const char *const fields[] = { "path", "uri", "name" };
        json_t *destination = json_object_get(spec, "destination");

        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                const char *text = json_string_value(json_object_get(destination, fields[i]));
                _cleanup_free_ char *named = NULL;

                if (!text)
                        continue;
                int r = job_template_fill(text, job_id, &named);
                if (r < 0)
                        return r;
                if (json_object_set_new(destination, fields[i], json_string(named)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* A run whose job is being submitted. */
struct RunStart {
        Manager *manager; /* NULL: it is in no list */
        ScheduleRow *row;
        ScheduleRun run;
        sd_bus_message *call; /* that is answered with it, or NULL */
        TAILQ_ENTRY(RunStart) entries;
};

static RunStart *run_start_free(RunStart *s) {
        if (!s)
                return NULL;
        if (s->manager)
                TAILQ_REMOVE(&s->manager->runs, s, entries);
        sd_bus_message_unref(s->call);
        schedule_row_free(s->row);
        free(s->run.schedule_id);
        free(s->run.job_id);
        return mfree(s);
}
DEFINE_CLEANUP_FUNC(RunStart *, run_start_free);

void schedule_runs_free(Manager *m) {
        while (!TAILQ_EMPTY(&m->runs))
                run_start_free(TAILQ_FIRST(&m->runs));
}

static bool is_being_started(const Manager *m, int64_t seq) {
        RunStart *s;

        TAILQ_FOREACH(s, &m->runs, entries)
                if (s->run.seq == seq)
                        return true;
        return false;
}

/* Records that it cannot be, and why. */
static void run_failed(RunStart *s, int r, const sd_bus_error *refusal) {
        if (!manager_get_job(s->manager, s->run.job_id))
                (void) credentials_remove(s->manager->state_directory, CREDENTIALS_OF_JOB, s->run.job_id);
        if (error_entry_by_bus_name(refusal->name)->http_status == 503)
                /* Nothing is wrong with the job: it is tried again at the next start. */
                log_warning("Schedule %s cannot submit its job %s now: %s", s->run.schedule_id,
                                s->run.job_id, refusal->message);
        else
                (void) run_refused(s->manager, &s->run, refusal->message ? refusal->message : strerror(-r));
}

static int run_succeeded(RunStart *s) {
        Manager *m = s->manager;
        int r = store_schedule_run_change(
                        m->store, s->run.seq, s->run.schedule_id, s->run.job_id, RUN_RUNNING);

        tell(SCHEDULE_TRIGGERED, s->run.schedule_id, s->run.job_id,
                        strprintf("Schedule %s has submitted job %s", s->run.schedule_id, s->run.job_id));
        schedule_bus_emit(m, "ScheduleChanged", s->run.schedule_id);
        return r;
}

static void on_submitted(Manager *m, int r, const char *id, bool created, const JsonErrors *fields,
                sd_bus_error *error, void *userdata) {
        _cleanup_(run_start_freep) RunStart *s = userdata;

        if (r < 0)
                run_failed(s, r, error);
        else
                r = run_succeeded(s);
        if (!s->call)
                return;
        r = r < 0 ? bus_reply_fields_error(s->call, r, error, fields)
                  : sd_bus_reply_method_return(s->call, "s", s->run.job_id);
        if (r < 0)
                log_warning_errno(r, "Failed to answer a client that runs schedule %s: %m",
                                s->run.schedule_id);
}

static int submit_spec(RunStart *s, JsonErrors *fields, sd_bus_error *error) {
        _cleanup_json_ json_t *spec = json_loads(s->row->spec, 0, NULL);
        _cleanup_(submit_options_done)
                        SubmitOptions options = { .dialect = s->row->dialect, .role = s->row->role };
        _cleanup_free_ char *text = NULL;

        options.submitted_by = submitter_text_add_schedule(s->row->submitter, s->row->id);
        if (!options.submitted_by)
                return -ENOMEM;

        if (!spec || json_object_set_new(spec, "job_id", json_string(s->run.job_id)) < 0 ||
                        name_output(spec, s->run.job_id) < 0 || !(text = json_dumps(spec, JSON_COMPACT)))
                return -ENOMEM;
        return manager_submit(s->manager, text, &options, on_submitted, s, fields, error);
}

static int run_start_new(Manager *m, const ScheduleRun *run, sd_bus_message *call, RunStart **ret) {
        _cleanup_(run_start_freep) RunStart *s = new0(RunStart, 1);
        int r;

        if (!s)
                return -ENOMEM;
        s->run.seq = run->seq;
        s->run.schedule_id = strdup(run->schedule_id);
        s->run.job_id = strdup(run->job_id);
        s->call = sd_bus_message_ref(call);
        if (!s->run.schedule_id || !s->run.job_id)
                return -ENOMEM;
        r = store_schedule_get(m->store, run->schedule_id, &s->row);
        if (r < 0)
                return r;
        s->manager = m;
        TAILQ_INSERT_TAIL(&m->runs, s, entries);
        *ret = TAKE_PTR(s);
        return 0;
}

/* Submits the job that @run was promised. If it is there already, because we died after that, so much the
 * better. 1: @call is answered when it is known what became of it. */
static int run_start(Manager *m, const ScheduleRun *run, sd_bus_message *call, JsonErrors *fields,
                sd_bus_error *error) {
        RunStart *s;
        int r = run_start_new(m, run, call, &s);

        if (r < 0)
                return r;
        if (s->row->credentials)
                r = credentials_copy(m->state_directory, CREDENTIALS_OF_SCHEDULE, s->row->credentials,
                                run->job_id);
        if (r < 0)
                (void) bus_error_setf(error, HYPER_BUS_ERROR_INTERNAL,
                                "The secrets of schedule %s could not be copied for the job: %s",
                                run->schedule_id, strerror(-r));
        else
                r = submit_spec(s, fields, error);
        if (r >= 0)
                return 1;
        run_failed(s, r, error);
        run_start_free(s);
        return r;
}

/* --- firing ---------------------------------------------------------------------------------------- */

static int choose(Manager *m, const ScheduleRow *row, const char **ret_status) {
        uint64_t running, waiting;
        int r = store_schedule_busy(m->store, row->id, &running, &waiting);

        if (r < 0)
                return r;
        if (running + waiting == 0 || row->overlap == OVERLAP_ALLOW)
                *ret_status = RUN_STARTING;
        else
                *ret_status = row->overlap == OVERLAP_QUEUE && waiting < WAITING_MAX ? RUN_WAITING
                                                                                     : RUN_SKIPPED;
        return 0;
}

/* Serves a firing of @row, or a wish. */
static int fire(Manager *m, ScheduleRow *row, usec_t next_at, sd_bus_message *call, JsonErrors *fields,
                sd_bus_error *error) {
        usec_t now = m->clock();
        _cleanup_free_ char *job_id = make_job_id(row->id, now);
        const char *status;
        ScheduleRun run = { .schedule_id = row->id, .job_id = job_id };
        int r;

        if (!job_id)
                return -ENOMEM;
        r = choose(m, row, &status);
        if (r >= 0)
                r = store_schedule_fire(m->store, row->id, now, streq(status, RUN_SKIPPED) ? NULL : job_id,
                                status, next_at, &run.seq);
        if (r < 0)
                return r == -ENOMEM ? r
                                    : bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                                                      "The run could not be recorded: %s",
                                                      store_error_text(m->store));
        if (streq(status, RUN_STARTING))
                return run_start(m, &run, call, fields, error);
        if (streq(status, RUN_SKIPPED))
                tell(SCHEDULE_SKIPPED, row->id, NULL,
                                strprintf("Schedule %s has skipped a run: the one before goes on", row->id));
        schedule_bus_emit(m, "ScheduleChanged", row->id);
        return 0;
}

int schedule_trigger(Manager *m, const char *id, bool timer, sd_bus_message *call, JsonErrors *fields,
                sd_bus_error *error) {
        _cleanup_(schedule_row_freep) ScheduleRow *row = NULL;
        usec_t now = m->clock();
        int r = schedule_id_is_valid(id) ? store_schedule_get(m->store, id, &row) : -ENOENT;

        if (r == -ENOENT && timer) { /* a timer that nobody could stop */
                if (schedule_id_is_valid(id))
                        schedule_timer_remove(m, id);
                return 0;
        }
        if (r == -ENOENT)
                return schedule_not_found(id, error);
        if (r < 0)
                return r;
        if (!timer)
                return fire(m, row, row->next_at, call, fields, error);
        if (!schedule_is_due(row, now)) {
                /* Served before; but perhaps we could not submit its job then, and this is another try. */
                schedule_runs_continue(m, id);
                return 0;
        }
        /* (A timer that was a little early must not find the same time again.) */
        usec_t served = row->next_at <= now + SCHEDULE_SLACK ? MAX(now, row->next_at) : now;
        row->next_at = schedule_next(row, served);
        r = fire(m, row, row->next_at, call, fields, error);
        if (schedule_needs_time(row, now))
                schedule_timer_set(m, row);
        return r;
}

/* --- afterwards ------------------------------------------------------------------------------------ */

/* Those that were promised are started; of those that wait the first, if nothing of that schedule runs. */
void schedule_runs_continue(Manager *m, const char *id) {
        _cleanup_(schedule_runs_done) ScheduleRuns runs = {};
        int r = store_schedule_runs_pending(m->store, id, &runs);

        for (size_t i = 0; r >= 0 && i < runs.n; i++) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                _cleanup_(json_errors_done) JsonErrors fields = {};
                const ScheduleRun *run = &runs.runs[i];
                uint64_t running, waiting;

                if (is_being_started(m, run->seq))
                        continue;
                if (streq(run->status, RUN_WAITING)) {
                        r = store_schedule_busy(m->store, run->schedule_id, &running, &waiting);
                        if (r < 0 || running > 0)
                                continue;
                        r = store_schedule_run_change(
                                        m->store, run->seq, run->schedule_id, run->job_id, RUN_STARTING);
                        if (r < 0)
                                break;
                }
                if (run_start(m, run, NULL, &fields, &error) < 0)
                        log_debug("Run %s waits: %s", strna(run->job_id), strna(error.message));
        }
        if (r < 0)
                log_error_errno(r, "Failed to look for runs of schedules: %s", store_error_text(m->store));
}

void schedule_job_ended(Manager *m, const Job *j, JobState state) {
        _cleanup_free_ char *id = NULL;
        int r = store_schedule_of_job(m->store, j->row->id, &id);

        if (r < 0)
                return;
        tell(state == JOB_COMPLETED ? SCHEDULE_COMPLETED : SCHEDULE_FAILED, id, j->row->id,
                        strprintf("Job %s of schedule %s is %s", j->row->id, id,
                                        job_state_to_string(state)));
        schedule_bus_emit(m, "ScheduleChanged", id);
        schedule_runs_continue(m, id);
}

void schedule_catch_up(Manager *m) {
        _cleanup_(schedule_rows_done) ScheduleRows rows = {};
        usec_t now = m->clock();
        int r = store_schedules_list(m->store, 0, 0, &rows);

        for (size_t i = 0; r >= 0 && i < rows.n; i++) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                _cleanup_(json_errors_done) JsonErrors fields = {};
                ScheduleRow *row = rows.rows[i];

                if (!row->enabled || row->next_at == 0)
                        continue;
                if (row->next_at <= now && !row->catch_up) {
                        row->next_at = schedule_next(row, now);
                        r = store_schedule_set_next(m->store, row->id, row->next_at);
                }
                if (row->next_at > now) {
                        /* A manager before this one may not have made the timer anew. */
                        if (schedule_needs_time(row, now))
                                schedule_timer_set(m, row);
                        continue;
                }
                if (!row->catch_up)
                        continue;
                log_info("Schedule %s has missed its time; it runs now.", row->id);
                if (schedule_trigger(m, row->id, true, NULL, &fields, &error) < 0)
                        log_warning("Schedule %s cannot make up for it: %s", row->id, strna(error.message));
        }
        if (r < 0)
                log_error_errno(r, "Failed to look for schedules that were missed: %s",
                                store_error_text(m->store));
}
