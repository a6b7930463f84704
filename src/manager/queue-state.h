/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When the queue runs next, and how much it may still look at. */

#include <systemd/sd-event.h>

#include "basic/macro.h"
#include "basic/time-util.h"

typedef struct QueueState {
        sd_event *event;
        void (*run)(void *userdata);
        void *userdata;
        sd_event_source *source; /* runs the queue once the current messages are answered */
        sd_event_source *timer; /* the next retry, or the next try to record an end */
        unsigned n_looks; /* at jobs that workers may take, too, since @looks_since (manager clock) */
        usec_t looks_since;
} QueueState;

/* @run is called from the event loop. 0 or -ENOMEM. */
int queue_state_new(sd_event *event, void (*run)(void *userdata), void *userdata, QueueState **ret);
QueueState *queue_state_free(QueueState *q);
DEFINE_CLEANUP_FUNC(QueueState *, queue_state_free);

/* Run the queue once the current messages are answered. */
void queue_state_wake(QueueState *q);
/* Run it after @wait, and not at the time that was set before. USEC_INFINITY: only when it is woken. */
void queue_state_wait(QueueState *q, usec_t wait);
