/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libvirt's calls block, for long if a host hangs: each host has a thread that makes its calls, and the
 * daemon's loop exchanges tasks with it.
 *
 * A task that is not done in time is given up: its done() is called with -ETIMEDOUT. If the thread was in
 * the middle of it, the thread is of no more use, and its owner lets go of it with host_thread_abandon(). It
 * then ends when its call returns, and frees what it holds; until then it costs a thread and a connection,
 * which host_thread_abandoned() counts so that the owner can bound it. */

#include <libvirt/libvirt.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "basic/time-util.h"

typedef struct HostThread HostThread;
typedef struct Task Task;

/* More tasks than that do not wait for one thread. */
#define HOST_THREAD_QUEUE_MAX 128

struct Task {
        /* In the thread. Opens, uses or closes *connection (NULL before the first has opened it). Negative
         * errno with @error, if there is more to say. */
        int (*run)(Task *t, HostThread *w, virConnectPtr *connection);
        /* In the loop, exactly once. After -ETIMEDOUT the thread may still be running the task: done() may
         * read only what was there before, and free only what the thread does not touch. */
        void (*done)(Task *t, int r);
        /* Last, in the loop or, of a thread that was abandoned, in the thread. */
        void (*free)(Task *t);
        char *error; /* set by run(): libvirt's own words */

        /* The thread's own */
        usec_t deadline;
        int result;
        bool given_up;
        TAILQ_ENTRY(Task) entries;
};

/* Events of libvirt. Called in the loop. */
typedef struct HostThreadHandler {
        void (*on_vm)(void *userdata, const char *uuid); /* changed, came or went; "": too many to name */
        void (*on_closed)(void *userdata); /* the connection broke */
        void *userdata;
} HostThreadHandler;

/* Starts a thread. libvirt_events_start() must have been called. */
int host_thread_new(sd_event *event, const HostThreadHandler *handler, HostThread **ret);

/* Lets go: outstanding tasks get done(-ECANCELED), then nothing of it is called any more. The connection is
 * closed by its thread. Returns NULL. */
HostThread *host_thread_abandon(HostThread *w);
DEFINE_CLEANUP_FUNC(HostThread *, host_thread_abandon);

/* Gives it a task, which is then the thread's. -EBUSY when too many wait (the task is then freed, without
 * its done()). */
int host_thread_run(HostThread *w, Task *t, usec_t timeout);

/* True while it is in a task that was given up. */
bool host_thread_hangs(HostThread *w);

/* To ask, of one that was let go, whether it has come to its end. */
HostThread *host_thread_ref(HostThread *w);
HostThread *host_thread_unref(HostThread *w);
bool host_thread_has_ended(const HostThread *w);

/* How many threads that were let go have not ended yet, in this process. */
unsigned host_thread_abandoned(void);

/* From the thread: have the events of this connection passed to the handler. Negative errno with
 * *ret_error. */
int host_thread_watch(HostThread *w, virConnectPtr connection, char **ret_error);
