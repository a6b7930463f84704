/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the server answers: bytes from another machine. All decoders are pure and give 0 with *ret, -EBADMSG
 * for malformed data, with *ret_error (one line, the caller frees it), or -ENOMEM. */

#include "json/json-table.h"

/* The longest answer that is read: a job with its history. */
#define ANSWER_MAX ((size_t) 4 * 1024 * 1024)

/* POST /queue/dequeue: the id of the job that is ours now; NULL: there is none. */
int answer_dequeued(const char *text, size_t size, char **ret_job_id, char **ret_error);

typedef struct HeartbeatAnswer {
        char **jobs; /* ids of those that we hold */
        char **cancelled; /* … that we held, and must let go of */
} HeartbeatAnswer;

void heartbeat_answer_done(HeartbeatAnswer *a);
int answer_heartbeat(const char *text, size_t size, HeartbeatAnswer *ret, char **ret_error);

typedef struct JobAnswer {
        char *job_id;
        char *state;
        char *worker_id; /* who holds it, or NULL */
        char *created_at; /* as it came: two jobs of one id, with the database lost in between, differ in
                           * it */
        unsigned attempt; /* from 1 */
        json_t *spec; /* as the worker API writes a job (dialect/worker-job.h) */
} JobAnswer;

void job_answer_done(JobAnswer *a);
/* GET /jobs/{id} */
int answer_job(const char *text, size_t size, JobAnswer *ret, char **ret_error);

/* Whether this body is the worker API's own error of this HTTP status, for @path or a path below it. A
 * proxy's page with the same status is not. */
bool answer_is_error_for(const char *text, size_t size, unsigned status, const char *path);

/* What an error's body says, in one line for the log; NULL if it says nothing. The caller frees it. */
char *answer_message(const char *text, size_t size);
