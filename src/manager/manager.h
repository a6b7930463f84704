/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* hyper-managerd: the owner of the database, the queue and the states of the jobs. What it depends on is
 * given to it, so that tests use a private bus, a temporary database and a clock that they move. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "journal/job-event.h"
#include "manager/caller.h"
#include "manager/commit-group.h"
#include "manager/credentials.h"
#include "manager/job-index.h"
#include "manager/job-paths.h"
#include "manager/job.h"
#include "manager/lookup.h"
#include "manager/queue-state.h"
#include "shared/bus-util.h"
#include "shared/settings.h"
#include "shared/step-reply.h"
#include "store/jobs-list.h"
#include "store/jobs.h"
#include "store/schedules.h"
#include "store/workers.h"

/* How long a unit that has to end may take more than its own limits say. */
#define UNIT_PATIENCE (60 * USEC_PER_SEC)

typedef struct Submission Submission;

/* Who waits for the carbon intensity: manager/carbon-feed.h */
typedef struct CarbonWaiter {
        void (*done)(Manager *m, void *userdata);
        void *userdata;
        bool waits;
        TAILQ_ENTRY(CarbonWaiter) entries;
} CarbonWaiter;

typedef struct RunStart RunStart;
typedef struct UploadChunk UploadChunk;
typedef struct UploadVerification UploadVerification;

struct Manager {
        sd_event *event;
        sd_bus *bus;
        unsigned systemd_version; /* of the systemd that runs; 0: the oldest one */
        Store *store;
        Settings *settings;
        clock_func clock;
        job_observer observer; /* of each job's changes */
        int (*list_units)(Manager *m); /* executor_unit_list() */
        /* unit_gone(): the end of a unit may start another one, of which is told as of the first. */
        void (*unit_gone)(Job *j, const char *start_error);
        char *state_directory, *runtime_directory, *config_directory, *journal_directory;
        char *guest_program; /* that jobs with a guest run */
        const char *inspect_socket; /* of tests; NULL: INSPECTION_SOCKET */

        CommitGroup *group; /* of what clients submit and workers say */

        Job *jobs; /* those not finished, and those whose unit still stops */
        JobIndex index;
        QueueState *queue;
        struct Progress *progress; /* manager/progress.h */
        Job *finished; /* the one read last from the store for the bus */

        PolkitRegistry *polkit;
        CallerCache callers;
        SubmitterCache submitters;
        struct CallerLogins *logins; /* manager/caller-login.h */
        unsigned n_calls_pending; /* of other services, for which calls of clients wait */
        sd_bus_slot *object_slots[10];
        sd_bus_slot *systemd_slots[3];
        sd_bus_slot *reconcile_call;
        usec_t patience; /* for a unit that systemd was to end: then it is killed */
        bool reconcile_again; /* something happened while the units were being listed */
        const sd_bus_vtable *job_vtable, *schedule_vtable; /* of the objects: managed-objects.c */
        sd_bus_slot *release_call;
        sd_bus_slot *wake_call; /* that sets the timer of the next pass: wake-timer.c */
        void (*on_wake_timer)(Manager *m, int r);
        struct ScheduleTimers *timers; /* manager/schedule/schedule-timer.h */
        bool restoring; /* timers are set for the first time in this boot */
        ScheduleRow *schedule; /* the one read last from the store for the bus */

        sd_event_source *idle_timer;
        usec_t started_at; /* by @clock: before, no worker could be heard */
        usec_t leases_until; /* by @clock: no lease of a worker ends before */
        usec_t put_back_at; /* when a source is restored that could not be: put-back.c; 0: there is none */
        usec_t last_call; /* monotonic: when the bus last asked something */

        int (*send_event)(const JobEvent *e);
        int (*send_events)(const JobEvent *events, size_t n, size_t *ret_sent);
        uint64_t logged; /* the last change of state that the journal has: journal-catchup.c */

        struct SlurmFeed *slurm; /* manager/slurm/slurm-feed.h */
        struct Outbox *outbox; /* deliveries to webhooks: manager/webhook/webhook.h */

        LookupPool *lookups;
        struct CarbonFeed *carbon; /* manager/carbon-feed.h */
        CarbonWaiter hold_waiter; /* of jobs whose hold is due */
        struct ThreadCalls *file_calls; /* manager/file/file-bus.h */
        LIST_HEAD(, UploadChunk) chunks; /* that clients write: manager/file/chunk-bus.h */
        LIST_HEAD(, UploadVerification) verifications; /* manager/file/upload-verify.h */
        TAILQ_HEAD(, Submission) submissions;
        StepReplies replies; /* that are being made for clients */
        TAILQ_HEAD(, RunStart) runs; /* of schedules, whose jobs are being submitted */
        bool released; /* the name is given up: the end comes with the last lookup */

        bool limits_changed; /* jobs that wait for a limit may be able to start */
        bool ready; /* the units were looked at: jobs may be started */
        bool draining; /* the name is being given up */
        bool watched; /* READY=1 was sent */
};

/* Takes @row, also on failure, into memory. @destinations is what it writes (spec_destinations()). */
int manager_add_job(Manager *m, JobRow *row, char *const *destinations, const char *server, Job **ret);
/* The same, for a job whose spec is at hand. */
int manager_add_job_of_spec(Manager *m, JobRow *row, const JobSpec *spec, Job **ret);
Job *manager_get_job(Manager *m, const char *id);
/* Forgets a finished job once nothing of it runs any more, and removes its directories and secrets. */
void manager_forget_job(Manager *m, Job *j);
/* Only forgets it: its directory and its secrets are still needed. */
void manager_drop_job(Manager *m, Job *j);

/* Sets @error; returns its errno. */
int no_such_job(sd_bus_error *error, const char *id);

/* What the job writes, as it is compared: paths or a URI, which the caller frees. NULL if it only reads.
 * @resolved: the path of the first one with symbolic links resolved, if @spec does not have it. */
int spec_destinations(const JobSpec *spec, const char *resolved, char ***ret);
/* The spec of @row, with its paths as they were resolved at submission. 0; -EBADMSG; -ENOMEM. */
int manager_parse_spec(const JobRow *row, JobSpec **ret);
/* The stored spec of a job with its paths resolved as they were at submission. */
int manager_load_spec(Manager *m, const char *id, JobSpec **ret);

/* Starts what may start (queue.h), from the event loop, once the current messages are answered. */
void queue_wake(Manager *m);
