/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/wake-timer.h"

#include "basic/log.h"
#include "manager/systemd-names.h"

#define TIMER "hyper-passes.timer"
/* What the timer starts, made with it: systemd 252 does not take Unit= of a transient timer. */
#define SERVICE "hyper-passes.service"
#define MANAGER_UNIT "hyper-managerd.service"
#define TRUE "/usr/bin/true"

static int on_set(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        Manager *m = userdata;

        m->wake_call = sd_bus_slot_unref(m->wake_call);
        if (error)
                log_error("Failed to set the timer of the next pass: %s", error->message);
        m->on_wake_timer(m, error ? -sd_bus_message_get_errno(reply) : 0);
        return 0;
}

int wake_timer_set(Manager *m, usec_t at, void (*done)(Manager *m, int r)) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        char text[CALENDAR_SIZE];

        int r = format_calendar(text, at + USEC_PER_SEC - 1); /* never earlier */
        if (r >= 0)
                r = sd_bus_message_new_method_call(m->bus, &call, SYSTEMD_NAME, SYSTEMD_PATH,
                                SYSTEMD_MANAGER, "StartTransientUnit");
        if (r >= 0)
                r = sd_bus_message_append(call, "ss", TIMER, "replace");
        if (r >= 0)
                r = sd_bus_message_append(call, "a(sv)", 4, "Description", "s", "Next pass of a warm job",
                                "CollectMode", "s", "inactive-or-failed", "TimersCalendar", "a(ss)", 1,
                                "OnCalendar", text, "AccuracyUSec", "t", (uint64_t) USEC_PER_SEC);
        if (r >= 0)
                r = sd_bus_message_append(call, "a(sa(sv))", 1, SERVICE, 5, "Description", "s",
                                "Start of the next pass of a warm job", "CollectMode", "s",
                                "inactive-or-failed", "Type", "s", "oneshot", "Wants", "as", 1, MANAGER_UNIT,
                                "ExecStart", "a(sasb)", 1, TRUE, 1, TRUE, 0);
        if (r < 0)
                return r;
        m->on_wake_timer = done;
        return sd_bus_call_async(m->bus, &m->wake_call, call, on_set, m, 0);
}

static int on_removed(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);

        /* Usually it does not exist. */
        if (error && !sd_bus_error_has_name(error, SYSTEMD_NAME ".NoSuchUnit"))
                log_warning("Failed to remove " TIMER ": %s", error->message);
        return 0;
}

int wake_timer_remove(Manager *m) {
        return sd_bus_call_method_async(m->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                        "StopUnit", on_removed, m, "ss", TIMER, "replace");
}
