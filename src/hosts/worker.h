/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libvirt blocks, and a host that hangs makes it block for long: each host has a thread of its own that
 * makes its calls, and the daemon's loop only exchanges tasks with it.
 *
 * A task that is not done in time is given up: its done() is called with -ETIMEDOUT. If the thread was in
 * the middle of it, the worker is of no more use, and its owner lets go of it with worker_abandon(). The
 * thread then ends by itself whenever its call returns, and frees what it holds; until then it costs a
 * thread and a connection, which worker_abandoned() counts so that the owner can bound it. */

#include <libvirt/libvirt.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "basic/time-util.h"
#include "hosts/libvirt-calls.h"

typedef struct Worker Worker;
typedef struct Task Task;

/* More tasks than that do not wait for one thread. */
#define WORKER_QUEUE_MAX 128

struct Task {
        /* In the thread. Opens, uses or closes *connection (NULL before the first has opened it). Negative
         * errno with @error, if there is more to say. */
        int (*run)(Task *t, Worker *w, virConnectPtr *connection);
        /* In the loop, exactly once. After -ETIMEDOUT the thread may still be running the task: done() may
         * read only what was there before, and free only what the thread does not touch. */
        void (*done)(Task *t, int r);
        /* Last, in the loop or, of an abandoned worker, in the thread. */
        void (*free)(Task *t);
        char *error; /* set by run(): libvirt's own words */

        /* The worker's own */
        usec_t deadline;
        int result;
        bool given_up;
        TAILQ_ENTRY(Task) entries;
};

/* What libvirt tells of its own accord. In the loop. */
typedef struct WorkerHandler {
        void (*on_vm)(void *userdata, const char *uuid); /* changed, came or went; "": too many to name */
        void (*on_closed)(void *userdata); /* the connection broke */
        void *userdata;
} WorkerHandler;

/* Starts a thread. libvirt_events_start() must have been called. */
int worker_new(sd_event *event, const WorkerHandler *handler, Worker **ret);

/* Lets go: outstanding tasks get done(-ECANCELED), then nothing of it is called any more. The connection is
 * closed by its thread. Returns NULL. */
Worker *worker_abandon(Worker *w);
DEFINE_CLEANUP_FUNC(Worker *, worker_abandon);

/* Gives it a task, which is then the worker's. -EBUSY when too many wait (the task is then freed, without
 * its done()). */
int worker_run(Worker *w, Task *t, usec_t timeout);

/* True while its thread is in a task that was given up. */
bool worker_hangs(Worker *w);

/* To ask, of one that was let go, whether its thread has come to its end. */
Worker *worker_ref(Worker *w);
Worker *worker_unref(Worker *w);
bool worker_has_ended(const Worker *w);

/* How many threads there are of workers that were let go, in this process. */
unsigned worker_abandoned(void);

/* From the thread: has the events of this connection told to the handler. Negative errno with *ret_error. */
int worker_watch(Worker *w, virConnectPtr connection, char **ret_error);
