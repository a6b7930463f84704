/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* hyper-managerd: the owner of the database, the queue and the states of the jobs. What it depends on is
 * given to it, so that tests use a private bus, a temporary database and a clock that they move. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "journal/journal-follow.h"
#include "manager/caller.h"
#include "manager/commit-group.h"
#include "manager/credentials.h"
#include "manager/job-places.h"
#include "manager/job.h"
#include "manager/lookup.h"
#include "manager/source-files.h"
#include "shared/bus-util.h"
#include "shared/settings.h"
#include "store/schedules.h"
#include "store/workers.h"

/* How long a unit that has to end may take more than its own limits say. */
#define UNIT_PATIENCE (60 * USEC_PER_SEC)

typedef struct Submission Submission;
typedef struct RunStart RunStart;

typedef struct ManagerOptions {
        sd_event *event;
        sd_bus *bus; /* with systemd, polkit and the clients on it */
        Store *store; /* as STORE_OWNER */
        Settings *settings; /* the manager's from manager_new() on, also on failure */
        clock_func clock; /* realtime */
        const char *state_directory; /* STATEDIR */
        const char *runtime_directory; /* where the jobs' root directories are made; the manager's alone */
        const char *config_directory; /* read again by Reload */
        const char *journal_directory; /* NULL: the system's journal */
        int (*send_event)(const JobEvent *e); /* NULL: job_event_send() */
} ManagerOptions;

struct Manager {
        sd_event *event;
        sd_bus *bus;
        Store *store;
        Settings *settings;
        clock_func clock;
        char *state_directory, *runtime_directory, *config_directory, *journal_directory;

        CommitGroup *group; /* of what clients submit and workers say */

        Job *jobs; /* those not finished, and those whose unit still stops */
        JobPlaces places;
        Job *finished; /* the one read last from the store for the bus */

        PolkitRegistry *polkit;
        CallerCache callers;
        sd_bus_slot *object_slots[7];
        sd_bus_slot *systemd_slots[3];
        sd_bus_slot *reconcile_call;
        usec_t patience; /* for a unit that systemd was to end: then it is killed */
        bool reconcile_again; /* something happened while the units were being listed */
        sd_bus_slot *release_call;
        struct Timer *timers; /* those that systemd is being asked about */
        unsigned n_timers_asked;
        sd_event_source *timers_later;
        bool restoring; /* timers are set for the first time in this boot */
        sd_bus_message **restores; /* calls that are answered when all timers are made */
        size_t n_restores, restores_allocated;
        ScheduleRow *schedule; /* the one read last from the store for the bus */

        JournalFollow *follow;
        sd_event_source *queue_source; /* runs the queue once the current messages are answered */
        sd_event_source *queue_timer; /* the next retry, or the next try to record an end */
        sd_event_source *progress_timer; /* at most one write a second */
        bool progress_is_new; /* of some job, since the last write */
        sd_event_source *idle_timer;
        usec_t started_at; /* by @clock: before, no worker could be heard */
        usec_t leases_until; /* by @clock: no lease of a worker ends before */
        usec_t last_call; /* monotonic: when the bus last asked something */

        int (*send_event)(const JobEvent *e);
        uint64_t logged; /* the last change of state that the journal has: retell.c */

        struct Outbox *outbox; /* deliveries to webhooks: manager/webhook/webhook.h */

        LookupPool *lookups;
        unsigned n_looks; /* at jobs that workers may take, too, since @looks_since (by @clock) */
        usec_t looks_since;
        TAILQ_HEAD(, Submission) submissions;
        TAILQ_HEAD(, RunStart) runs; /* of schedules, whose jobs are being submitted */
        bool released; /* the name is given up: the end comes with the last lookup */

        bool ready; /* the units were looked at: jobs may be started */
        bool draining; /* the name is being given up */
        bool watched; /* READY=1 was sent */
};

int manager_new(const ManagerOptions *options, Manager **ret);
Manager *manager_free(Manager *m);
DEFINE_CLEANUP_FUNC(Manager *, manager_free);

/* Loads the jobs, puts the objects on the bus, looks at the units, and requests the name. What takes time is
 * done from the event loop. 0 or negative errno. */
int manager_start(Manager *m);

/* Reads the configuration again. -EBADMSG with *ret_error (caller frees): the old one stays in force. */
int manager_reload(Manager *m, char **ret_error);

/* Takes @row, also on failure, into memory. @destination is what it writes (spec_destination()). */
int manager_add_job(Manager *m, JobRow *row, const char *destination, Job **ret);
Job *manager_get_job(Manager *m, const char *id);
/* Forgets a finished job once nothing of it runs any more, and removes its directories and secrets. */
void manager_forget_job(Manager *m, Job *j);

/* What the job writes, as it is compared: path or URI. NULL if it only reads. */
const char *spec_destination(const JobSpec *spec);
/* The stored spec of a job with its paths resolved as they were at submission. */
int manager_load_spec(Manager *m, const char *id, JobSpec **ret);

/* --- manager-bus.c, job-bus.c -------------------------------------------------------------------------- */

int manager_bus_register(Manager *m);
int job_bus_register(Manager *m);
/* The interfaces' tables, for the test that compares them with dbus/ *.xml. */
extern const sd_bus_vtable manager_vtable[];
extern const sd_bus_vtable job_vtable[];

/* Tells the bus of a new job, a change of state, progress. Failures are logged. */
void job_bus_announce(Job *j);
void job_bus_state_changed(Job *j, JobState from, JobState to, const char *reason);
void job_bus_progress_changed(Job *j);
/* Only that it has changed: the values are those that job_bus_announce() has told. */
void job_bus_became(Job *j, JobState from, JobState to, const char *reason);

/* Cancels @j: recorded first, then carried out. 0 or negative errno with @error set. */
int manager_cancel_job(Manager *m, Job *j, sd_bus_error *error);

/* --- submit.c ------------------------------------------------------------------------------------------ */

/* What came with a spec; strings are borrowed from the message. */
typedef struct SubmitOptions {
        const char *dialect;
        const char *request;
        const char *wanted_role; /* the option "role", or NULL */
        Role role; /* in which the caller asks */
        bool any_worker;
        char **warnings;
        char **secrets; /* name, value, name, value, … */
} SubmitOptions;

void submit_options_done(SubmitOptions *o);
/* Reads the a{sv} that @m stands before; the role is left out. 0 or negative errno with @error set. */
int submit_options_read(sd_bus_message *m, SubmitOptions *ret, sd_bus_error *error);
/* The same with the role of the caller. */
int submit_options_of_call(CallerCache *cache, sd_bus_message *m, SubmitOptions *ret, sd_bus_error *error);

/* In the loop, once: the job @id is durably queued, or was there already (@created is false), or is refused: @r is
 * negative then, with @error. */
typedef void (*submit_done)(
                Manager *m, int r, const char *id, bool created, sd_bus_error *error, void *userdata);

/* Takes a job. 0: @done is called, soon, or before this returns. Negative errno with @error set: it is not. What @options
 * has borrowed stays where it is until @done is called or the manager ends; the rest of it is taken, or left to the
 * caller to be freed. */
int manager_submit(Manager *m, const char *text, SubmitOptions *options, submit_done done, void *userdata,
                sd_bus_error *error);
/* Refuses those that are under way: the manager ends. */
void submissions_free(Manager *m);

/* Encrypts and keeps the secrets of the options and those that were still in the spec. */
int manager_store_secrets(Manager *m, CredentialOwner owner, const char *id, const JobSpec *spec,
                const SubmitOptions *o, sd_bus_error *error);

/* --- job-json.c ---------------------------------------------------------------------------------------- */

/* The whole job for GetJob: JSON text that the caller frees. */
int job_details(Store *store, const char *id, char **ret);

/* --- queue.c ------------------------------------------------------------------------------------------- */

/* The job that would start next, or NULL: highest priority, then first come, none whose destination is still
 * held by a unit that stops; of those that others may take, too, only if @any_worker. */
Job *queue_next(Manager *m, bool any_worker);
/* Starts what may start now, and brings back what is due. */
void queue_run(Manager *m);
/* The same, soon, from the event loop. */
void queue_wake(Manager *m);
/* What this machine could not do may be different now: it looks at all that waits once more. */
void queue_look_again(Manager *m);

/* --- retell.c ------------------------------------------------------------------------------------------ */

/* Finds the last change of state in the journal, and logs those after it: the manager before this one was killed between
 * recording and logging them, or the journal has lost its end. */
void manager_retell(Manager *m);
/* Logs the changes of state that were recorded since the last call. A failure is logged; the next call tries again. */
void manager_log_changes(Manager *m);

/* --- progress.c ---------------------------------------------------------------------------------------- */

/* Follows the journal while units run. */
int progress_follow(Manager *m);
/* Writes what came since the last time. */
void progress_flush(Manager *m);
/* Has them written soon. */
void progress_wake(Manager *m);

/* --- schedule.c: the rows ------------------------------------------------------------------------------ */

/* @definition is JSON: id, name, description, schedule, enabled, overlap_policy, catch_up, job (a canonical spec
 * without its id). *ret_id is the caller's. All of these: 0, or negative errno with @error set. */
int manager_create_schedule(Manager *m, const char *definition, const SubmitOptions *options, char **ret_id,
                sd_bus_error *error);
/* @changes has those of the keys that change. A run that is due is neither lost nor made twice. */
int manager_update_schedule(Manager *m, const char *id, const char *changes, const SubmitOptions *options,
                sd_bus_error *error);
int manager_delete_schedule(Manager *m, const char *id, sd_bus_error *error);
/* Says so in @error, whatever @id is; returns what goes with it. */
int schedule_not_found(const char *id, sd_bus_error *error);

/* When @row is due next, after @now; 0 if it is disabled or never. */
usec_t schedule_next(const ScheduleRow *row, usec_t now);
/* When it runs, as OnCalendar= lines (a strv that the caller frees), or *ret_every (may be NULL) apart, which is 0 else.
 * 0 or negative errno. */
int schedule_calendar(const ScheduleRow *row, usec_t *ret_every, char ***ret_lines);
/* Removes the secrets that no unfinished job and no schedule names: a manager that was killed may have left them. 0 or
 * negative errno. */
int manager_sweep_secrets(Manager *m);
/* A timer never fires early; two clocks may differ by a little. */
#define SCHEDULE_SLACK (USEC_PER_SEC / 2)
/* Whether a timer that fires at @now has something to serve. */
bool schedule_is_due(const ScheduleRow *row, usec_t now);
/* The whole schedule for GetSchedule: JSON text that the caller frees. */
int schedule_details(Store *store, const ScheduleRow *row, char **ret);

/* --- schedule-timer.c ---------------------------------------------------------------------------------- */

/* Has systemd make the timer of @row, in place of one that is there; none if it is disabled. Failures are
 * logged: the timers are made anew at the next boot, and hyper-schedules.service may be restarted any time. */
void schedule_timer_set(Manager *m, const ScheduleRow *row);
void schedule_timer_remove(Manager *m, const char *id);
/* Makes all timers, and then answers @call, which may be NULL. 1, or negative errno. */
int schedule_timers_restore(Manager *m, sd_bus_message *call);
/* Those that a manager before us has not come to make. */
int schedule_timers_finish(Manager *m);
/* systemd has done a job with a unit that may be a timer. */
void schedule_timer_job_done(Manager *m, const char *unit, bool done);
bool schedule_timers_pending(const Manager *m);
void schedule_timers_free(Manager *m);

/* --- schedule-run.c ------------------------------------------------------------------------------------ */

/* Runs a schedule. @timer: only if it is due, and then that firing is served; else now, whatever is due. @call (may be NULL)
 * is answered with the id of the job, or with why there is none: 1 if that comes later, 0 if there is no job to wait for,
 * or negative errno with @error set. */
int schedule_trigger(Manager *m, const char *id, bool timer, sd_bus_message *call, sd_bus_error *error);
/* Makes up for what was missed: after a boot. */
void schedule_catch_up(Manager *m);
/* Goes on with runs that were promised or wait; of one schedule or (NULL) of all. */
void schedule_runs_continue(Manager *m, const char *id);
/* Forgets the runs that are being submitted: the next start goes on with them. */
void schedule_runs_free(Manager *m);
/* A job has ended: was it a schedule's? */
void schedule_job_ended(Manager *m, const Job *j, JobState state);

/* --- schedule-bus.c ------------------------------------------------------------------------------------ */

int schedule_bus_register(Manager *m);
extern const sd_bus_vtable schedule_vtable[];
/* The methods of org.hyper1.Manager about schedules. */
int method_create_schedule(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_update_schedule(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_delete_schedule(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_enable_schedule(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_disable_schedule(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_trigger_schedule(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_get_schedule(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_list_schedules(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_restore_schedules(sd_bus_message *message, void *userdata, sd_bus_error *error);
/* Tells the bus. @member: ScheduleNew, ScheduleRemoved or ScheduleChanged. */
void schedule_bus_emit(Manager *m, const char *member, const char *id);

/* --- worker.c ------------------------------------------------------------------------------------------ */

/* All of these: 0, or negative errno with @error set. */
int manager_register_worker(Manager *m, const char *text, bool *ret_created, sd_bus_error *error);
/* Its jobs go back to the queue, those that it has begun as their policy says. */
int manager_unregister_worker(Manager *m, const char *id, sd_bus_error *error);
/* What a worker that lives is told: the jobs it holds, and those that were cancelled while it held them. */
int manager_worker_heard(
                Manager *m, const char *id, JobRows *ret_jobs, JobRows *ret_cancelled, sd_bus_error *error);
/* *ret_spec is the caller's; NULL if there is nothing for it. */
/* From the loop, once, when it is durable: @spec is the job that the worker gets, NULL if there is none for it; @r is
 * negative if it could not be recorded. */
typedef void (*dequeue_done)(Manager *m, int r, const char *spec, void *userdata);
/* 0: @done is called; negative errno with @error set: it is not. */
int manager_dequeue(Manager *m, const char *text, dequeue_done done, void *userdata, sd_bus_error *error);
/* Whether a worker is heard from. */
bool worker_is_active(const Manager *m, const WorkerRow *row);
bool worker_id_is_valid(const char *id) _pure_;
int no_such_worker(sd_bus_error *error, const char *id);

/* --- worker-report.c ----------------------------------------------------------------------------------- */

int manager_report_events(
                Manager *m, const char *id, const char *worker, const char *text, sd_bus_error *error);
int manager_report_result(
                Manager *m, const char *id, const char *worker, const char *text, sd_bus_error *error);
/* Whether this machine may take @j, and can, as far as its operation and its demand say. */
bool worker_is_local(const Manager *m, const Job *j);
/* The same, but for what may change: the settings and the free space. */
bool worker_could_be_local(const Job *j);
/* Whether others may take it that can do what this machine cannot. */
bool job_may_go_elsewhere(const Job *j);

/* --- worker-bus.c -------------------------------------------------------------------------------------- */

int method_register_worker(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_unregister_worker(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_heartbeat(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_get_worker(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_list_workers(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_dequeue(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_report_events(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_report_result(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_queue_status(sd_bus_message *message, void *userdata, sd_bus_error *error);

/* --- idle.c -------------------------------------------------------------------------------------------- */

int idle_start(Manager *m);
/* To be called when one has been served: the manager may have waited for it to end. */
void idle_lookup_done(Manager *m);
