/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/queue-state.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/commit-group.h"

int queue_state_new(sd_event *event, void (*run)(void *userdata), void *userdata, QueueState **ret) {
        QueueState *q = new0(QueueState, 1);

        if (!q)
                return -ENOMEM;
        q->event = sd_event_ref(event);
        q->run = run;
        q->userdata = userdata;
        *ret = q;
        return 0;
}

QueueState *queue_state_free(QueueState *q) {
        if (!q)
                return NULL;
        sd_event_source_disable_unref(q->source);
        sd_event_source_disable_unref(q->timer);
        sd_event_unref(q->event);
        return mfree(q);
}

static int on_source(sd_event_source *s, void *userdata) {
        QueueState *q = userdata;

        q->source = sd_event_source_disable_unref(q->source);
        q->run(q->userdata);
        return 0;
}

void queue_state_wake(QueueState *q) {
        if (q->source)
                return;
        int r = sd_event_add_defer(q->event, &q->source, on_source, q);
        /* Not before a group of submissions that is being gathered: it would be parted. */
        if (r >= 0)
                r = sd_event_source_set_priority(q->source, COMMIT_GROUP_PRIORITY);
        if (r < 0)
                log_error_errno(r, "Failed to wake the queue: %m");
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        QueueState *q = userdata;

        q->run(q->userdata);
        return 0;
}

void queue_state_wait(QueueState *q, usec_t wait) {
        int r;

        q->timer = sd_event_source_disable_unref(q->timer);
        if (wait == USEC_INFINITY)
                return;
        r = sd_event_add_time_relative(
                        q->event, &q->timer, CLOCK_MONOTONIC, wait, 10 * USEC_PER_MSEC, on_timer, q);
        if (r < 0)
                log_error_errno(r, "Failed to set the timer of the queue: %m");
}
