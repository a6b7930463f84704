/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Requests of workers that wait for a job (long polling). They wait here and not in the manager: it need not
 * run meanwhile, the bus would not let a client wait for more than 128 answers at once, and when a worker's
 * connection ends, it is known before the worker is given anything.
 *
 * When the bus tells that a job waits (JobStateChanged to QUEUED), the worker that waits for longest, of
 * those that can do it, asks the manager once more: one job wakes one worker. Whoever gets nothing goes on
 * waiting, and the next in line is woken as long as the job is not taken. */

#include "api/http/request.h"
#include "store/workers.h"

typedef struct QueueWaiterOps {
        int (*ask)(Request *r); /* asks the manager, and has queue_waiter_told() called with what it says */
        int (*nothing)(Request *r); /* answers that there is no job */
} QueueWaiterOps;

/* @r, which gets it as its userdata, asks for a job for @worker_id, and would wait for so long. Another
 * request of that worker that waits is answered that there is nothing: a worker that asks anew has given the
 * old one up.
 * @text is handed out by queue_waiter_text(); both strings are copied. 0 or -ENOMEM. */
int queue_waiter_new(
                Request *r, const QueueWaiterOps *ops, const char *worker_id, const char *text, usec_t wait);
const char *queue_waiter_text(Request *r);

/* Has the bus tell of jobs that wait, if @r would wait for one. To be called with the connection there
 * (manager_call_new()) and before the manager is asked, so that no job is missed. 0 or negative errno. */
int queue_waiter_listen(Request *r);

/* The manager has answered ask(), with a job or without (or with an error). If there is none, and time is
 * left, @r waits from now on: true. Else its answer is due: false. */
bool queue_waiter_told(Request *r, bool found, const WorkerOffer *offer);

/* --- for api.c ------------------------------------------------------------------------------------- */

int queue_waiters_new(Api *a, QueueWaiters **ret);
/* After the last request. */
QueueWaiters *queue_waiters_free(QueueWaiters *q);
/* A job waits; NULL: the bus is gone, nobody will be told of any, so all are answered. */
void queue_waiters_wake(QueueWaiters *q, const char *job_id);
