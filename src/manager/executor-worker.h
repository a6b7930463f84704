/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Jobs that workers hold. A worker keeps a job until it was silent for WORKER_LEASE, and, however often it
 * is heard from, no longer than the job may take. */

#include "manager/attempt.h"
#include "manager/executor.h"

extern const Executor executor_worker;

/* From the loop, once, when the end is durable; negative errno: it could not be recorded. */
typedef void (*worker_end_done)(Manager *m, int r, void *userdata);

/* Ends the attempt of a worker, see attempt_end(), and forgets a job that is finished. 0: @done is called;
 * negative errno: it is not. */
int executor_worker_end(Job *j, const AttemptFacts *facts, worker_end_done done, void *userdata);

/* How a worker lost an attempt. */
typedef struct WorkerLoss {
        const char *code; /* for programs */
        const char *message;
        bool at_once; /* the next attempt need not wait */
} WorkerLoss;

/* A worker holds @j no longer: ends the attempt, as part of a group. 0 or negative errno. */
int executor_worker_lost(Job *j, const WorkerLoss *loss);

/* Takes jobs away from workers that were silent for too long, and those that have taken too long. *next is
 * brought forward to when to look again. 0 or negative errno. */
int executor_worker_expire(Manager *m, usec_t now, usec_t *next);
