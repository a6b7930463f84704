/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The transient timers of schedules, hyper-schedule-ID.timer. A timer only says when; whether a firing is
 * served, and what was missed, is the database's business (next_at), so a timer has no Persistent= and
 * leaves no stamp behind. The service that it starts, hyper-schedule-ID.service, is made with it, and all
 * that it is stands in the drop-in for that prefix, units/hyper-schedule.conf.
 *
 * That a timer is wanted is in the database until systemd has made it, so that a manager that dies in
 * between leaves no schedule without one.
 *
 * When the clocks change before the next run, the OnCalendar= lines of the expression do not always elapse
 * when cron_next() says so. The timer then has next_at as another line, and each run makes it anew until
 * three hours after the change. (systemd may also take the second of two equal local times, hence three hours
 * before it, too.) */

#include "manager/schedule/schedule-timer.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "journal/schedule-event.h"
#include "manager/boot-mark.h"
#include "manager/manager.h"
#include "manager/schedule/schedule-times.h"
#include "manager/systemd-names.h"
#include "shared/error-table.h"
#include "spec/job-spec.h"

/* So many are asked for at once, and the next when systemd has carried one out. (It would take more; but it
 * looks at its bus before it does its work, and watches for each job that waits whether who asked for it is
 * still there, which the bus allows 512 times: more, and it is thrown off the bus.) */
#define ASKED_MAX 32u
/* How long a job of systemd is waited for; its end may be missed when systemd is started anew. */
#define JOB_TIMEOUT (30 * USEC_PER_SEC)
#define RETRY_TIME (USEC_PER_SEC / 2)

/* What systemd is being asked for: a timer is stopped, then started. */
typedef struct Timer {
        Manager *manager;
        const TimerKind *kind;
        char *id, *unit;
        bool stop, start; /* what is still to be done */
        bool asked; /* for one of these: first the call is out, then the job that it has led to */
        bool starting; /* which of them it was */
        bool again; /* later: systemd has not let go of the old one */
        usec_t since; /* monotonic: when it was asked */
        sd_bus_slot *call;
        UT_hash_handle hh; /* by unit */
} Timer;

struct ScheduleTimers {
        Timer *timers; /* those that systemd is being asked about */
        unsigned n_asked;
        sd_event_source *later;
        sd_bus_message **restores; /* calls that are answered when all timers are made */
        size_t n_restores, restores_allocated;
};

static void timer_step(Timer *t);

static void set_asked(Timer *t, bool asked) {
        if (t->asked != asked)
                t->manager->timers->n_asked += asked ? 1 : -1;
        t->asked = asked;
        t->since = now_monotonic();
}

static void timer_free(Timer *t) {
        set_asked(t, false);
        HASH_DEL(t->manager->timers->timers, t);
        sd_bus_slot_unref(t->call);
        free(t->id);
        free(t->unit);
        free(t);
}

static void answer_restore(Manager *m) {
        ScheduleTimers *s = m->timers;

        for (size_t i = 0; i < s->n_restores; i++) {
                (void) sd_bus_reply_method_return(s->restores[i], NULL);
                sd_bus_message_unref(s->restores[i]);
        }
        s->restores = mfree(s->restores);
        s->n_restores = s->restores_allocated = 0;
        boot_mark_set(m);
}

bool schedule_timers_pending(const Manager *m) {
        return m->timers->timers;
}

int schedule_timers_new(ScheduleTimers **ret) {
        ScheduleTimers *s = new0(ScheduleTimers, 1);

        if (!s)
                return -ENOMEM;
        *ret = s;
        return 0;
}

ScheduleTimers *schedule_timers_free(ScheduleTimers *s) {
        Timer *t, *next;

        if (!s)
                return NULL;
        HASH_ITER(hh, s->timers, t, next)
                timer_free(t);
        sd_event_source_disable_unref(s->later);
        for (size_t i = 0; i < s->n_restores; i++)
                sd_bus_message_unref(s->restores[i]);
        free(s->restores);
        return mfree(s);
}

static void next_timer(Manager *m) {
        Timer *t, *next;

        HASH_ITER(hh, m->timers->timers, t, next) {
                if (m->timers->n_asked >= ASKED_MAX)
                        break;
                if (!t->asked && !t->again)
                        timer_step(t);
        }
        if (!m->timers->timers)
                answer_restore(m);
}

static Timer *timer_get(Manager *m, const TimerKind *kind, const char *id) {
        _cleanup_free_ char *unit = kind->unit_name(id);
        Timer *t = NULL;

        if (unit)
                HASH_FIND_STR(m->timers->timers, unit, t);
        if (t || !unit)
                return t;
        t = new0(Timer, 1);
        if (!t || !(t->id = strdup(id))) {
                free(t);
                return NULL;
        }
        t->manager = m;
        t->kind = kind;
        t->unit = TAKE_PTR(unit);
        HASH_ADD_KEYPTR(hh, m->timers->timers, t->unit, strlen(t->unit), t);
        return t;
}

/* --- the unit -------------------------------------------------------------------------------------- */

/* next_at as a line of its own, in UTC. */
static int add_next_time(char ***lines, const ScheduleRow *row, usec_t now) {
        /* If it passed while the old timer was stopped, the new one elapses at once. */
        char text[CALENDAR_SIZE];
        int r = format_calendar(text, MAX(row->next_at, now + USEC_PER_SEC));

        return r < 0 ? r : strv_extend(lines, text);
}

static int append_times(sd_bus_message *message, const ScheduleRow *row, usec_t now) {
        _cleanup_strv_free_ char **lines = NULL;
        usec_t every;
        int r = schedule_calendar(row, &every, &lines);

        if (r < 0)
                return r;
        if (every > 0) {
                usec_t wait = row->next_at > now ? row->next_at - now : 0;

                return sd_bus_message_append(message, "(sv)(sv)", "TimersMonotonic", "a(st)", 2,
                                "OnActiveSec", (uint64_t) wait, "OnUnitActiveSec", (uint64_t) every,
                                "AccuracyUSec", "t", (uint64_t) (10 * USEC_PER_MSEC));
        }
        if (schedule_needs_time(row, now))
                r = add_next_time(&lines, row, now);
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'r', "sv");
        if (r >= 0)
                r = sd_bus_message_append(message, "s", "TimersCalendar");
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'v', "a(ss)");
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "(ss)");
        if (r < 0)
                return r;
        for (char **l = lines; r >= 0 && l && *l; l++)
                r = sd_bus_message_append(message, "(ss)", "OnCalendar", *l);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        if (r < 0)
                return r;
        return sd_bus_message_append(message, "(sv)", "AccuracyUSec", "t", (uint64_t) USEC_PER_SEC);
}

static int row_message(Manager *m, const ScheduleRow *row, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        _cleanup_free_ char *timer = schedule_unit_name(row->id, "timer"),
                            *service = schedule_unit_name(row->id, "service"),
                            *description = strprintf("Migration Schedule %s", row->id),
                            *run = strprintf("Run of Migration Schedule %s", row->id);
        int r;

        if (!timer || !service || !description || !run)
                return -ENOMEM;
        r = sd_bus_message_new_method_call(
                        m->bus, &message, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "StartTransientUnit");
        if (r >= 0)
                r = sd_bus_message_append(message, "ss", timer, "replace");
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "(sv)");
        if (r >= 0)
                r = sd_bus_message_append(message, "(sv)(sv)", "Description", "s", description,
                                "CollectMode", "s", "inactive-or-failed");
        if (r >= 0)
                r = append_times(message, row, m->clock());
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        if (r >= 0)
                r = sd_bus_message_append(message, "a(sa(sv))", 1, service, 1, "Description", "s", run);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(message);
        return 0;
}

/* --- asking ---------------------------------------------------------------------------------------- */

static void timer_landed(Timer *t, bool made) {
        Manager *m = t->manager;

        set_asked(t, false);
        if (made && t->starting && !t->stop && !t->start)
                t->kind->made(m, t->id);
        if (!t->stop && !t->start)
                timer_free(t);
        next_timer(m);
}

static int on_later(sd_event_source *source, uint64_t usec, void *userdata) {
        usec_t now = now_monotonic();
        Manager *m = userdata;
        Timer *t, *next;

        HASH_ITER(hh, m->timers->timers, t, next) {
                t->again = false;
                if (t->asked && !t->call && now >= t->since + JOB_TIMEOUT) {
                        log_warning("systemd did not say that it has done its job with %s.", t->unit);
                        timer_landed(t, false);
                }
        }
        next_timer(m);
        if (!m->timers->timers)
                return 0;
        (void) sd_event_source_set_time_relative(source, RETRY_TIME);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int look_later(Manager *m) {
        int enabled;

        if (!m->timers->later)
                return sd_event_add_time_relative(
                                m->event, &m->timers->later, CLOCK_MONOTONIC, RETRY_TIME, 0, on_later, m);
        if (sd_event_source_get_enabled(m->timers->later, &enabled) < 0 || enabled != SD_EVENT_OFF)
                return 0;
        (void) sd_event_source_set_time_relative(m->timers->later, RETRY_TIME);
        return sd_event_source_set_enabled(m->timers->later, SD_EVENT_ONESHOT);
}

/* The service of the old timer runs just now, or systemd has not forgotten it yet; or systemd itself is
 * started anew. */
static bool may_be_done_later(const sd_bus_error *error) {
        return sd_bus_error_has_name(error, SYSTEMD_NAME ".UnitExists") ||
                        error_entry_by_bus_name(error->name)->http_status == 503;
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        Timer *t = userdata;
        int r;

        t->call = sd_bus_slot_unref(t->call);
        r = look_later(t->manager);
        if (r < 0)
                log_error_errno(r, "Failed to wait for the timers of schedules: %m");
        if (!error) /* its job is under way */
                return 0;
        if (sd_bus_error_has_name(error, SYSTEMD_NAME ".NoSuchUnit"))
                ; /* what is to be stopped is not there */
        else if (r >= 0 && may_be_done_later(error)) {
                t->again = true;
                t->stop = true;
                t->start = t->start || t->starting;
        } else
                log_error("Failed to set the timer of %s %s: %s. 'systemctl restart hyper-schedules' "
                          "tries again.",
                                t->kind->what, t->id, error->message);
        timer_landed(t, false);
        return 0;
}

void schedule_timer_job_done(Manager *m, const char *unit, bool done) {
        Timer *t;

        HASH_FIND_STR(m->timers->timers, unit, t);
        if (!t || !t->asked || t->call)
                return;
        if (!done)
                log_error("systemd could not %s %s.", t->starting ? "start" : "stop", unit);
        timer_landed(t, done);
}

static int ask_stop(Timer *t) {
        return sd_bus_call_method_async(t->manager->bus, &t->call, SYSTEMD_NAME, SYSTEMD_PATH,
                        SYSTEMD_MANAGER, "StopUnit", on_answer, t, "ss", t->unit, "replace");
}

static int ask_start(Timer *t) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        /* As it is now, not as it was when this was asked for. */
        r = t->kind->start_message(t->manager, t->id, &message);
        if (r < 0 || !message)
                return r;
        return sd_bus_call_async(t->manager->bus, &t->call, message, on_answer, t, 0);
}

static void timer_step(Timer *t) {
        int r;

        t->starting = !t->stop;
        if (t->starting)
                t->start = false;
        else
                t->stop = false;
        r = t->starting ? ask_start(t) : ask_stop(t);
        if (r < 0)
                log_error_errno(r, "Failed to ask systemd for the timer of %s %s: %m", t->kind->what, t->id);
        if (t->call)
                set_asked(t, true);
        else if (!t->stop && !t->start)
                timer_free(t);
}

void schedule_timers_want(Manager *m, const TimerKind *kind, const char *id, bool start) {
        Timer *t = timer_get(m, kind, id);

        if (!t) {
                log_oom();
                return;
        }
        t->stop = true;
        t->start = start;
        if (!t->asked && !t->again && m->timers->n_asked < ASKED_MAX)
                timer_step(t);
}

/* --- timers of schedules --------------------------------------------------------------------------- */

static char *unit_name(const char *id) {
        return schedule_unit_name(id, "timer");
}

static int start_message(Manager *m, const char *id, sd_bus_message **ret) {
        _cleanup_(schedule_row_freep) ScheduleRow *row = NULL;
        int r = store_schedule_get(m->store, id, &row);

        if (r < 0 || !row->enabled)
                return r < 0 && r != -ENOENT ? r : 0;
        return row_message(m, row, ret);
}

static void timer_made(Manager *m, const char *id) {
        int r = store_schedule_timer_made(m->store, id);

        if (r < 0)
                log_error_errno(r, "Failed to note the timer of schedule %s: %s", id,
                                store_error_text(m->store));
}

static const TimerKind schedule_timer = { "schedule", unit_name, start_message, timer_made };

static void timer_want(Manager *m, const char *id, bool start) {
        schedule_timers_want(m, &schedule_timer, id, start);
}

void schedule_timer_set(Manager *m, const ScheduleRow *row) {
        timer_want(m, row->id, row->enabled);
}

void schedule_timer_remove(Manager *m, const char *id) {
        timer_want(m, id, false);
}

static int want_all(Manager *m, bool all) {
        _cleanup_strv_free_ char **ids = NULL;
        int r = store_schedules_ids(m->store, all, &ids);

        if (r < 0)
                return r;
        STRV_FOREACH(id, ids)
                timer_want(m, *id, true);
        if (ids)
                log_info("Setting the timers of %zu schedules.", strv_length(ids));
        return 0;
}

int schedule_timers_restore(Manager *m, sd_bus_message *call) {
        /* After a boot both the manager itself and hyper-schedules.service ask for this. */
        bool under_way = call && m->restoring && m->timers->timers;
        int r = under_way ? 0 : want_all(m, true);

        if (r < 0)
                return r;
        if (call) {
                if (!GREEDY_REALLOC(m->timers->restores, m->timers->restores_allocated,
                                    m->timers->n_restores + 1))
                        return -ENOMEM;
                m->timers->restores[m->timers->n_restores++] = sd_bus_message_ref(call);
        }
        next_timer(m);
        return 1;
}

int schedule_timers_finish(Manager *m) {
        return want_all(m, false);
}
