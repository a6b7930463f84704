/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When nobody asks and no job is left, or all of them wait for their next pass, the daemon ends, and the bus
 * starts it again for the next call.
 *
 * No call may be lost in between: systemd is told STOPPING=1 first, so that it will start the unit anew
 * instead of taking it for running; then the name is given up, and only when the bus has confirmed that does
 * the daemon end. Calls that came before that confirmation are answered. If one of them was a job, the
 * daemon ends with EX_TEMPFAIL, for which its unit has RestartForceExitStatus=. */

#include "manager/idle.h"

#include <sysexits.h>
#include <systemd/sd-daemon.h>

#include "basic/log.h"
#include "manager/schedule/schedule-timer.h"
#include "manager/slurm/slurm-feed.h"
#include "manager/wake-timer.h"
#include "manager/webhook/outbox.h"
#include "manager/webhook/webhook.h"
#include "shared/thread-call.h"

/* Jobs that wait need no manager until then. */
static bool is_busy(const Manager *m) {
        return HASH_COUNT(m->jobs) > m->index.waiting.n;
}

/* When the next pass is due, or a source is to be restored; 0: there is neither. */
static usec_t next_pass(const Manager *m) {
        const Job *j = prioq_first(&m->index.waiting);
        usec_t pass = j ? j->row->due_at : 0;

        return pass == 0 || (m->put_back_at > 0 && m->put_back_at < pass) ? m->put_back_at : pass;
}

static int on_released(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        Manager *m = userdata;

        m->released = true;
        idle_lookup_done(m);
        return 0;
}

/* Calls that came before the name was given up are answered. */
void idle_lookup_done(Manager *m) {
        if (m->released && lookup_pool_pending(m->lookups) == 0 && m->n_calls_pending == 0 &&
                        thread_calls_pending(m->file_calls) == 0 && commit_group_pending(m->group) == 0 &&
                        TAILQ_EMPTY(&m->submissions))
                (void) sd_event_exit(m->event, is_busy(m) ? EX_TEMPFAIL : EXIT_SUCCESS);
}

static int drain(Manager *m) {
        m->draining = true;
        log_debug("Nothing to do, ending until the next call.");
        (void) sd_notify(false, "STOPPING=1\nSTATUS=Nothing to do.");
        return sd_bus_release_name_async(m->bus, &m->release_call, HYPER_BUS_NAME, on_released, m);
}

bool manager_is_idle(const Manager *m) {
        usec_t timeout = m->settings->daemon.idle_timeout, pass = next_pass(m);

        return !is_busy(m) && (pass == 0 || pass > m->clock() + timeout) && m->ready &&
                        !outbox_is_busy(m->outbox) && !slurm_feed_is_busy(m->slurm) &&
                        !schedule_timers_pending(m) && bus_polkit_pending(m->polkit) == 0 &&
                        m->n_calls_pending == 0 && lookup_pool_pending(m->lookups) == 0 &&
                        thread_calls_pending(m->file_calls) == 0 && LIST_EMPTY(&m->chunks) &&
                        commit_group_pending(m->group) == 0 && TAILQ_EMPTY(&m->submissions) &&
                        now_monotonic() >= m->last_call + timeout;
}

/* While jobs are there, the end of the last one is the time to look again; a timeout later will do. */
static int look_again(Manager *m) {
        usec_t now = now_monotonic(), timeout = m->settings->daemon.idle_timeout,
               due = m->jobs ? now + timeout : m->last_call + timeout;
        int r = sd_event_source_set_time_relative(m->idle_timer, due > now ? due - now : timeout);

        return r < 0 ? r : sd_event_source_set_enabled(m->idle_timer, SD_EVENT_ONESHOT);
}

static void end(Manager *m) {
        int r = drain(m);

        if (r < 0) {
                log_error_errno(r, "Failed to give up the bus name: %m");
                (void) sd_event_exit(m->event, EXIT_FAILURE);
        }
}

/* systemd starts the manager again for the next pass. */
static void on_wake_timer_set(Manager *m, int r) {
        if (r >= 0 && manager_is_idle(m))
                return end(m);
        /* Set, but no longer needed; or of an earlier time. */
        (void) wake_timer_remove(m);
        r = look_again(m);
        if (r < 0)
                log_error_errno(r, "Failed to set a timer: %m");
}

/* The first of the jobs that wait has a timer of its own, which starts the manager again. */
static bool has_timer(const Manager *m, usec_t pass) {
        const Job *j = prioq_first(&m->index.waiting);

        return pass == 0 || (j && j->hold_timer && j->row->due_at <= pass);
}

static int on_idle_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Manager *m = userdata;
        usec_t pass = next_pass(m);

        if (!manager_is_idle(m))
                return look_again(m);
        if (has_timer(m, pass))
                end(m);
        else if (wake_timer_set(m, pass, on_wake_timer_set) < 0)
                return look_again(m);
        return 0;
}
/* Sees every message before its handler; only calls count, since signals of systemd come all the time. */
static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        Manager *m = userdata;

        if (sd_bus_message_is_method_call(message, NULL, NULL) > 0)
                m->last_call = now_monotonic();
        return 0;
}

int idle_start(Manager *m) {
        usec_t timeout = m->settings->daemon.idle_timeout;
        int r;

        m->last_call = now_monotonic();
        r = sd_bus_add_filter(m->bus, &m->object_slots[4], on_message, m);
        if (r < 0 || timeout == USEC_INFINITY)
                return r;
        return sd_event_add_time_relative(m->event, &m->idle_timer, CLOCK_MONOTONIC, timeout,
                        USEC_PER_SEC / 4, on_idle_timer, m);
}
