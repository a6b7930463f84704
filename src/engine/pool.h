/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A few threads that carry out what blocks or burns CPU (pwrite, fdatasync, deflate) for an endpoint. All
 * else, completions too, happens in the thread that owns the pool. */

#include <sys/queue.h>

#include "basic/macro.h"

typedef struct Pool Pool;
typedef struct PoolTask PoolTask;

struct PoolTask {
        int (*run)(PoolTask *t); /* in a thread of the pool: 0 or negative errno; touches only what the task
                                    owns */
        void (*done)(PoolTask *t, int result); /* in the owner's thread, from pool_dispatch() */
        bool serial; /* never two of these at a time: writers of one file would only spin on its inode's
                        lock */
        int result;
        TAILQ_ENTRY(PoolTask) entry;
};

/* Starts @threads threads. 0 or negative errno. */
int pool_new(unsigned threads, Pool **ret);
/* Waits for the tasks at hand, drops those that wait (the owner still has them to free), ends the threads.
 * No done() is called. */
Pool *pool_free(Pool *p);
DEFINE_CLEANUP_FUNC(Pool *, pool_free);

/* Hands over a task, which stays the caller's and must live until done(). Tasks start in the order they
 * come. */
void pool_submit(Pool *p, PoolTask *t);

/* Readable when there is something to dispatch. */
int pool_fd(const Pool *p);
void pool_dispatch(Pool *p);
