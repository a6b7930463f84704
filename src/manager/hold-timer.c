/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/hold-timer.h"

#include "basic/string-util.h"
#include "journal/schedule-event.h"
#include "manager/schedule/schedule-timer.h"
#include "manager/systemd-names.h"

/* What the timer starts, made with it: systemd 252 does not take Unit= of a transient timer. */
#define MANAGER_UNIT "hyper-managerd.service"
#define TRUE "/usr/bin/true"

static char *unit_name(const char *id, const char *type) {
        _cleanup_free_ char *schedule = schedule_unit_name(id, type);
        const char *rest = schedule ? startswith(schedule, "hyper-schedule-") : NULL;

        return rest ? strprintf("hyper-hold-%s", rest) : NULL;
}

static char *timer_name(const char *id) {
        return unit_name(id, "timer");
}

static int append_service(sd_bus_message *call, const char *service, const char *id) {
        _cleanup_free_ char *description = strprintf("End of the Hold of Migration Job %s", id);

        if (!description)
                return -ENOMEM;
        return sd_bus_message_append(call, "a(sa(sv))", 1, service, 5, "Description", "s", description,
                        "CollectMode", "s", "inactive-or-failed", "Type", "s", "oneshot", "Wants", "as", 1,
                        MANAGER_UNIT, "ExecStart", "a(sasb)", 1, TRUE, 1, TRUE, 0);
}

static int start_message(Manager *m, const char *id, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        _cleanup_free_ char *timer = timer_name(id), *service = unit_name(id, "service"),
                            *description = strprintf("Hold of Migration Job %s", id);
        char text[CALENDAR_SIZE];
        Job *j = manager_get_job(m, id);
        int r;

        if (!timer || !service || !description)
                return -ENOMEM;
        if (!j || !job_is_on_hold(j))
                return 0;
        r = format_calendar(text, j->row->due_at + USEC_PER_SEC - 1); /* never earlier */
        if (r >= 0)
                r = sd_bus_message_new_method_call(m->bus, &call, SYSTEMD_NAME, SYSTEMD_PATH,
                                SYSTEMD_MANAGER, "StartTransientUnit");
        if (r >= 0)
                r = sd_bus_message_append(call, "ss", timer, "replace");
        if (r >= 0)
                r = sd_bus_message_append(call, "a(sv)", 4, "Description", "s", description, "CollectMode",
                                "s", "inactive-or-failed", "TimersCalendar", "a(ss)", 1, "OnCalendar", text,
                                "AccuracyUSec", "t", (uint64_t) USEC_PER_SEC);
        if (r >= 0)
                r = append_service(call, service, id);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(call);
        return 0;
}

static void made(Manager *m, const char *id) {
        Job *j = manager_get_job(m, id);

        if (j)
                j->hold_timer = true;
}

static const TimerKind hold_timer = { "held job", timer_name, start_message, made };

void hold_timer_update(Job *j) {
        if (!job_is_on_hold(j) && !j->hold_timer)
                return;
        j->hold_timer = false;
        schedule_timers_want(j->manager, &hold_timer, j->row->id, job_is_on_hold(j));
}
