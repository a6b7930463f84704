/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* hyper-managerd: the owner of the database, the queue and the states of the jobs. What it depends on is
 * given to it, so that tests use a private bus, a temporary database and a clock that they move. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "manager/job.h"
#include "manager/source-files.h"
#include "shared/bus-util.h"
#include "shared/journal-follow.h"
#include "shared/settings.h"
#include "store/store.h"

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
} ManagerOptions;

struct Manager {
        sd_event *event;
        sd_bus *bus;
        Store *store;
        Settings *settings;
        clock_func clock;
        char *state_directory, *runtime_directory, *config_directory, *journal_directory;

        Job *jobs; /* those not finished, and those whose unit still stops */
        Job *finished; /* the one read last from the store for the bus */

        PolkitRegistry *polkit;
        sd_bus_slot *object_slots[5];
        sd_bus_slot *systemd_slots[3];
        sd_bus_slot *reconcile_call;
        bool reconcile_again; /* something happened while the units were being listed */
        sd_bus_slot *release_call;

        JournalFollow *follow;
        sd_event_source *queue_source; /* runs the queue once the current messages are answered */
        sd_event_source *queue_timer; /* the next retry, or the next try to record an end */
        sd_event_source *progress_timer; /* at most one write a second */
        sd_event_source *idle_timer;
        usec_t last_call; /* monotonic: when the bus last asked something */

        struct Outbox *outbox; /* deliveries to webhooks: manager/webhook.h */

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

/* Takes @row, also on failure, into memory. Its destination is read from @spec. */
int manager_add_job(Manager *m, JobRow *row, const JobSpec *spec, Job **ret);
Job *manager_get_job(Manager *m, const char *id);
/* Forgets a finished job once nothing of it runs any more, and removes its folders and secrets. */
void manager_forget_job(Manager *m, Job *j);

/* The destination as it is compared: path or URI. */
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

/* Cancels @j: recorded first, then carried out. 0 or negative errno with @error set. */
int manager_cancel_job(Manager *m, Job *j, sd_bus_error *error);

/* --- submit.c ------------------------------------------------------------------------------------------ */

/* What came with a spec; strings are borrowed from the message. */
typedef struct SubmitOptions {
        const char *dialect;
        const char *request;
        bool any_worker;
        char **warnings;
        char **secrets; /* name, value, name, value, … */
} SubmitOptions;

void submit_options_done(SubmitOptions *o);
/* Reads the a{sv} that @m stands before. 0 or negative errno with @error set. */
int submit_options_read(sd_bus_message *m, SubmitOptions *ret, sd_bus_error *error);

/* Accepts a job. 0 with *ret_id (caller frees) and *ret_created, or negative errno with @error set. */
int manager_submit(Manager *m, const char *text, const SubmitOptions *options, char **ret_id,
                bool *ret_created, sd_bus_error *error);

/* --- job-json.c ---------------------------------------------------------------------------------------- */

/* The whole job for GetJob: JSON text that the caller frees. */
int job_details(Store *store, const char *id, char **ret);

/* --- queue.c ------------------------------------------------------------------------------------------- */

/* The job that would start next, or NULL: highest priority, then first come, none whose destination is still
 * held by a unit that stops. */
Job *queue_next(Manager *m);
/* Starts what may start now, and brings back what is due. */
void queue_run(Manager *m);
/* The same, soon, from the event loop. */
void queue_wake(Manager *m);

/* --- job-unit.c ---------------------------------------------------------------------------------------- */

int job_unit_subscribe(Manager *m);
/* ASSIGNED → its unit is asked for. What goes wrong ends the attempt. */
void job_unit_start(Job *j, const JobSpec *spec, const JobFiles *files);
/* Takes a unit over that was running before we were. */
int job_unit_adopt(Job *j, bool active);
void job_unit_stop(Job *j);
/* Runs hyper-job finish alone: to remove the unfinished output of a cancelled job that has no unit, or to go
 * on where a power cut has interrupted it. job_settle() is called when it has ended; on failure there is
 * nothing that will end. */
int job_unit_finish(Job *j);

/* --- settle.c ------------------------------------------------------------------------------------------ */

/* The unit of @j is gone (or, with @start_error, never was): works out how the attempt ended and records it.
 * @j may be freed. */
void job_settle(Job *j, const char *start_error);

/* --- reconcile.c --------------------------------------------------------------------------------------- */

/* Compares the jobs with the units that are there, then starts the queue. */
int manager_reconcile(Manager *m);

/* --- retell.c ------------------------------------------------------------------------------------------ */

/* Tells the journal of the changes that it missed when the manager before this one ended. */
void manager_retell(Manager *m);

/* --- progress.c ---------------------------------------------------------------------------------------- */

/* Follows the journal while units run. */
int progress_follow(Manager *m);
/* Writes what came since the last time. */
void progress_flush(Manager *m);

/* --- idle.c -------------------------------------------------------------------------------------------- */

int idle_start(Manager *m);
