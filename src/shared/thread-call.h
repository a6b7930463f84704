/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A function that may block is called in a thread of its own, and the event loop gets its result. */

#include <systemd/sd-event.h>

#include "basic/macro.h"

typedef struct ThreadCalls ThreadCalls;

/* At most @max calls run at the same time, including those that hang. */
int thread_calls_new(sd_event *event, unsigned max, ThreadCalls **ret);
/* The calls that still run are forgotten: their done() is called with -ECANCELED. */
ThreadCalls *thread_calls_free(ThreadCalls *c);
DEFINE_CLEANUP_FUNC(ThreadCalls *, thread_calls_free);

/* Call @work in a thread, and then, in the loop, @done with what it has returned. @userdata belongs to both;
 * @destroy is called with it, in any thread, when neither uses it any more. 0; -EBUSY: so many run already;
 * or another negative errno; then neither is called, and @userdata remains the caller's. */
int thread_call(ThreadCalls *c, int (*work)(void *userdata), void (*done)(int r, void *userdata),
                void (*destroy)(void *userdata), void *userdata);

/* How many run. @c may be NULL. */
unsigned thread_calls_pending(const ThreadCalls *c);
