/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a worker says: of itself, of how a job goes on, and of how it ended. Every byte comes from another
 * machine. All decoders: 0 with *ret, -EBADMSG with all that is wrong in @errors, -ENOMEM. */

#include "spec/job-spec.h"
#include "json/json-table.h"

/* In one report. */
#define WORKER_EVENTS_MAX 1000u
#define WORKER_OUTPUTS_MAX 1000u
/* The longest text of a message from a worker. */
#define WORKER_MESSAGE_MAX ((size_t) 10 * 1024 * 1024)
/* How long a question for a job may wait, in seconds. */
#define WORKER_WAIT_MAX 60u
/* What it says of itself, and the result of a job: stored, and shown in every answer about it. */
#define WORKER_TEXT_MAX ((size_t) 256 * 1024)

typedef struct WorkerHello {
        char *worker_id;
        char *execution_mode; /* or NULL */
        json_t *capabilities; /* as they came; NULL: not given */
        uint32_t capability_mask; /* the same as a set */
        json_t *operations; /* those that it carries out; NULL: not given */
        uint32_t operation_mask; /* of operation_bit(); not given: all of them */
        json_t *system_info; /* object, or NULL */
        uint64_t memory_gb,
                        disk_gb; /* whole GiB of system_info.memory_mb and .disk_space_mb; 0: not given */
        char **labels; /* of its machine (spec/placement.h), or NULL */
        char *job_id; /* a question for this very job; NULL: for any */
        unsigned wait; /* a question for a job: the answer may wait so many seconds for one */
} WorkerHello;

void worker_hello_done(WorkerHello *h);
/* A registration, which must name capabilities, or (@registering false) a question for a job. */
int worker_hello_parse(const char *text, bool registering, WorkerHello *ret, JsonErrors *errors);

typedef struct WorkerEvent {
        char *phase; /* the worker's word, or NULL */
        double percent; /* negative: not given */
        char *message; /* or NULL */
        json_t *details; /* object, or NULL */
        uint64_t sequence; /* of this attempt's events, from 1; 0: not given */
} WorkerEvent;

typedef struct WorkerEvents {
        WorkerEvent *events;
        size_t n;
} WorkerEvents;

void worker_events_done(WorkerEvents *e);
/* One event or an array of them. */
int worker_events_parse(const char *text, WorkerEvents *ret, JsonErrors *errors);

typedef struct WorkerResult {
        bool completed; /* else failed */
        bool retry_useless; /* error.retryable is false */
        char *message; /* of the error, or NULL */
        json_t *document; /* {"outputs", "metrics", "error"}, as jobs have it */
} WorkerResult;

void worker_result_done(WorkerResult *r);
int worker_result_parse(const char *text, WorkerResult *ret, JsonErrors *errors);
