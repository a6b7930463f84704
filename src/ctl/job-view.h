/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A job as its bus object shows it. */

#include "basic/time-util.h"
#include "ctl/client.h"

typedef struct StateChange {
        char *state, *reason;
        usec_t when;
} StateChange;

typedef struct JobView {
        char *id, *operation, *spec, *unit, *state, *reason, *phase, *result, *warm, *submitter;
        uint32_t priority, attempt;
        double percent; /* 0 to 100; -1: not known */
        uint64_t done, total, rate, remaining; /* remaining: µs; UINT64_MAX: not known */
        usec_t created, started, finished; /* 0: not yet */
        StateChange *history; /* oldest first */
        size_t n_history;
} JobView;

void job_view_done(JobView *v);

/* Takes what an a{sv} at @m's read position says about org.hyper1.Job; properties it does not know are
 * passed over, those that are not there stay as they are. 0 or negative errno. */
int job_view_read(JobView *v, sd_bus_message *m);

/* Finds a job by its id. EXIT_OK with *ret_path and, unless NULL, the job as JSON; or has said what is wrong
 * and returns another ExitStatus. The caller owns both. */
int job_view_find(Ctl *ctl, sd_bus *bus, const char *id, char **ret_path, json_t **ret_details);

/* Asks for all properties of the job at @path. Same returns; @v must be initialised. */
int job_view_fetch(Ctl *ctl, sd_bus *bus, const char *id, const char *path, JobView *v);

/* The ExitStatus that a state stands for: EXIT_OK also for one that is not an end. */
int job_view_exit_status(const JobView *v);

bool job_view_has_ended(const JobView *v);
