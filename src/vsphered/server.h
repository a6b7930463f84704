/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A thread for each login: it executes the calls that need a session of that login, one after the other, and
 * owns the session. It logs in for the first call, and out after it had none for some time; then it ends.
 * Calls to other servers are not affected by one that hangs.
 *
 * A call that takes too long, or whose client is gone, is given up: done() is called at once, and the thread
 * is told to end it soon (SoapOptions.cancel_fd). */

#include <systemd/sd-event.h>

#include "basic/time-util.h"
#include "vsphere/session.h"
#include "vsphered/login.h"
#include "vsphered/vm-listing.h"

typedef struct Servers Servers;
typedef struct Task Task;

/* More servers at once are refused, and more calls for one of them. */
#define SERVERS_MAX 64u
#define TASKS_MAX 16u

struct Task {
        /* In the thread, with a session that is open. 0 or more, or negative errno. */
        int (*run)(Task *t, Session *s);
        /* In the loop, exactly once. */
        void (*done)(Task *t, int r);
        /* Last: in the loop. */
        void (*free)(Task *t);
        char *error; /* why it failed, for people; set before done(), and may be NULL */

        /* Of server.c */
        struct Server *server;
        bool given_up;
        int result;
        Task *next;
};

/* In the thread: what calls of this login have listed. */
VmListings *task_listings(const Task *t);

typedef struct ServersOptions {
        sd_event *event;
        usec_t session_idle; /* a session is ended after so much time without a call */
        void (*on_idle)(void *userdata); /* the last thread has ended */
        void *userdata;
} ServersOptions;

int servers_new(const ServersOptions *options, Servers **ret);
/* Ends all calls (done(-ECANCELED)), logs out of all servers, and waits for that, for 10 seconds at most. */
Servers *servers_free(Servers *s);
DEFINE_CLEANUP_FUNC(Servers *, servers_free);

/* Gives a task to the thread of this login. 0: the task is then theirs. -EBUSY: there are too many; nothing
 * of the task is called then. */
int servers_run(Servers *s, const Login *login, Task *t);
/* Gives up a task: done(@r) now. Later its free(). */
void servers_give_up(Servers *s, Task *t, int r);

/* The number of threads, and of the sessions that are open. */
unsigned servers_count(const Servers *s) _pure_;
unsigned servers_sessions(const Servers *s);
