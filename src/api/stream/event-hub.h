/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What happens to jobs and schedules, for all parts of the daemon that want to hear of it: event streams and
 * WebSockets. One follower of the journal serves them, and runs only while somebody listens. */

#include <sys/queue.h>

#include "api/api-state.h"
#include "journal/job-event.h"
#include "journal/schedule-event.h"

/* Whoever listens has one of these, with the first three filled in. */
typedef struct EventListener {
        void (*on_event)(const JobEvent *event, void *userdata);
        void (*on_schedule)(const ScheduleEvent *event, void *userdata); /* or NULL */
        void *userdata;
        LIST_ENTRY(EventListener) listeners;
        bool listening;
} EventListener;

int event_hub_new(Api *a, EventHub **ret);
/* Nobody may listen any more. */
EventHub *event_hub_free(EventHub *h);
DEFINE_CLEANUP_FUNC(EventHub *, event_hub_free);

/* Tells @l of everything that is written to the journal from now on, from the loop. Listening already is no
 * error. 0 or negative errno. */
int event_hub_listen(EventHub *h, EventListener *l);
/* Nothing more is told. Also for one that does not listen; also from within its own functions. */
void event_hub_ignore(EventHub *h, EventListener *l);
