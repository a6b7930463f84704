/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The transient timers of schedules. */

#include "manager/manager.h"

typedef struct ScheduleTimers ScheduleTimers;

/* Timers are made one after the other, those of schedules and others. */
typedef struct TimerKind {
        const char *what; /* "schedule", for people */
        char *(*unit_name)(const char *id); /* allocated; NULL when out of memory */
        /* The call that makes the timer, as is right now: 0 with *ret, or with NULL if there is to be none;
         * or negative errno. */
        int (*start_message)(Manager *m, const char *id, sd_bus_message **ret);
        void (*made)(Manager *m, const char *id); /* systemd has made it */
} TimerKind;

/* Has systemd stop the timer, if it is there, and then make it, if @start is true. */
void schedule_timers_want(Manager *m, const TimerKind *kind, const char *id, bool start);

int schedule_timers_new(ScheduleTimers **ret);
/* The manager that the timers are of must still be there. */
ScheduleTimers *schedule_timers_free(ScheduleTimers *s);
DEFINE_CLEANUP_FUNC(ScheduleTimers *, schedule_timers_free);

/* Has systemd make the timer of @row, in place of one that is there; none if it is disabled. Failures are
 * logged: the timers are made anew at the next boot, and hyper-schedules.service may be restarted any time.
 */
void schedule_timer_set(Manager *m, const ScheduleRow *row);
void schedule_timer_remove(Manager *m, const char *id);
/* Makes all timers, and then answers @call, which may be NULL. 1, or negative errno. */
int schedule_timers_restore(Manager *m, sd_bus_message *call);
/* Those that a manager before us has not come to make. */
int schedule_timers_finish(Manager *m);
/* systemd has done a job with a unit that may be a timer. */
void schedule_timer_job_done(Manager *m, const char *unit, bool done);
bool schedule_timers_pending(const Manager *m);
