/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Workers and what they hold. A job that a worker holds is leased: its row names the worker, and the lease
 * lasts until that worker was silent for too long, so that a heartbeat renews all of a worker's leases with
 * one write. The same rules and errors as in store.h: each write is one transaction, durable when the
 * function returns 0. */

#include "dialect/worker-message.h"
#include "spec/capability.h"
#include "spec/job-demand.h"
#include "store/jobs-list.h"
#include "store/jobs.h"
#include "store/limits.h"
#include "store/store.h"

/* When a worker was heard from is written at most this often: a poll that finds nothing costs no write. */
#define WORKER_HEARD_STEP USEC_PER_SEC

typedef struct WorkerRow {
        int64_t seq; /* order of the first registration */
        char *id;
        char *capabilities; /* JSON, as it came */
        uint32_t capability_mask; /* the same as a set, and its operations (spec/capability.h) */
        uint64_t memory_gb, disk_gb; /* 0: it did not say, and gets no job that demands any */
        char *system_info; /* JSON object, as it came */
        char *execution_mode; /* or NULL */
        char *labels; /* labels_to_text() */
        usec_t registered_at; /* the last time */
        usec_t heartbeat_at; /* when it was heard from */
        uint64_t jobs; /* that it holds; only read */
} WorkerRow;

void worker_row_done(WorkerRow *row);
WorkerRow *worker_row_free(WorkerRow *row);
DEFINE_CLEANUP_FUNC(WorkerRow *, worker_row_free);

typedef struct WorkerRows {
        WorkerRow *rows;
        size_t n;
} WorkerRows;
void worker_rows_done(WorkerRows *rows);

/* Registers a worker, or overwrites what it said of itself before; what it holds it keeps. @row's seq, jobs
 * and heartbeat_at are not looked at: it was heard from at registered_at. */
int store_worker_register(Store *s, const WorkerRow *row, bool *ret_created);
/* It was heard from. -ENOENT. A clock that was set back does not shorten a lease. This alone is not waited
 * for until it is on the disk: after a power cut leases count from the next start. */
int store_worker_heard(Store *s, const char *id, usec_t now);
/* -ENOENT; -EBUSY while it holds a job: those are brought back first, each with its history. */
int store_worker_delete(Store *s, const char *id);
int store_worker_get(Store *s, const char *id, WorkerRow **ret);
/* In the order of the first registration, behind the worker with @seq (0: from the first): @limit of them (0:
 * all) behind the first @offset. */
int store_workers_list(Store *s, int64_t seq, uint64_t offset, uint64_t limit, WorkerRows *ret);
/* Those that were not heard from after @since. */
int store_workers_silent(Store *s, usec_t since, WorkerRows *ret);
/* How many there are, and how many of them were heard from after @since. */
int store_workers_count(Store *s, usec_t since, uint64_t *ret_total, uint64_t *ret_active);

/* Whether one that is registered, heard from or not, could do what @demand says. */
int store_workers_can(Store *s, const JobDemand *demand, bool *ret);

/* What a worker that asks for a job says of itself. */
typedef struct WorkerOffer {
        const char *worker_id;
        uint32_t capabilities; /* mask of 1u << Capability */
        uint64_t memory_gb, disk_gb;
        const char *labels; /* labels_to_text() */
        const char *job_id; /* the job that it asks for; NULL: the first one that fits */
} WorkerOffer;

/* What @row's worker offers with @hello: what it says now, or else what it said when it registered. The ids
 * are borrowed from both. */
void worker_offer_make(const WorkerRow *row, const WorkerHello *hello, WorkerOffer *ret);
/* Whether that is enough for a job of this demand (job_demand_pack()). */
bool worker_offer_meets(const WorkerOffer *o, uint64_t demand) _pure_;
/* Whether its labels suit the job. */
int worker_offer_fit(Store *s, const WorkerOffer *o, const JobRow *row, PlacementFit *ret);

/* Gives the first job of the queue that any worker may take and this one can do (or the one that it asks for,
 * if that is one of these, wherever it stands), as ASSIGNED to it: looking
 * and taking are one transaction, so no two workers get one job. The time it takes grows with how many
 * different demands wait, not with how many jobs. -ENODEV if there is no such worker, -ENOENT if there is no
 * such job; then the worker was heard from all the same. */
int store_job_dequeue(Store *s, const WorkerOffer *offer, usec_t now, const char *reason, JobRow **ret);

/* The jobs that a worker holds, oldest first. */
int store_worker_jobs(Store *s, const char *worker_id, JobRows *ret);
/* Those it held when they were cancelled, or failed at their deadline, after @since: what it has to be
 * told. */
int store_worker_cancelled(Store *s, const char *worker_id, usec_t since, JobRows *ret);
/* The jobs of workers that were not heard from after @since. */
int store_jobs_abandoned(Store *s, usec_t since, JobRows *ret);
/* The jobs whose deadline has passed: their timeout_seconds and the length of a lease after a worker got
 * them, however often it was heard from since. */
int store_jobs_overdue(Store *s, usec_t now, JobRows *ret);
/* The first deadline of those that are held; -ENOENT if there is none. */
int store_job_next_deadline(Store *s, usec_t *ret);
/* When the worker was last heard from that was silent for longest of those that hold jobs; -ENOENT if no
 * worker holds any. */
int store_workers_longest_silent(Store *s, usec_t *ret);

typedef struct QueuePriority {
        unsigned priority;
        uint64_t n;
} QueuePriority;

/* How many jobs wait, of each priority, the highest first. */
typedef struct QueueStatus {
        uint64_t total;
        QueuePriority *priorities;
        size_t n_priorities;
} QueueStatus;
void queue_status_done(QueueStatus *q);
int store_queue_status(Store *s, QueueStatus *ret);
