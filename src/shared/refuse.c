/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/inotify.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>

#include "basic/string-util.h"
#include "basic/time-util.h"
#include "shared/error-table.h"
#include "shared/refuse.h"

/* Long enough that a client which comes again every second does not run into the unit's start limit. */
#define REFUSE_TIME (5 * USEC_PER_SEC)

/* What the handlers share; there is one such refusal in a process. */
typedef struct Refusal {
        sd_event *event;
        sd_bus *bus;
        const char *bus_name, *why;
} Refusal;

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const Refusal *refusal = userdata;
        int r;

        /* (Peer answers by itself.) */
        if (sd_bus_message_is_method_call(m, NULL, NULL) <= 0 ||
                        sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Peer", NULL) > 0)
                return 0;
        (void) bus_error_setf(&error, HYPER_BUS_ERROR_UNAVAILABLE, "%s", refusal->why);
        r = sd_bus_reply_method_error(m, &error);
        return r < 0 ? r : 1;
}

static int on_released(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const Refusal *refusal = userdata;

        return sd_event_exit(refusal->event, EX_CONFIG);
}

/* Ends as idle.c does, and for its reasons: what is called from now on goes to the next start. */
static int end(Refusal *refusal) {
        (void) sd_notify(false, "STOPPING=1\nSTATUS=Ending, to look again at the next call.");
        return sd_bus_release_name_async(refusal->bus, NULL, refusal->bus_name, on_released, refusal);
}

static int on_over(sd_event_source *s, uint64_t usec, void *userdata) {
        return end(userdata);
}

static int on_configuration(sd_event_source *s, const struct inotify_event *e, void *userdata) {
        (void) sd_event_source_set_enabled(s, SD_EVENT_OFF);
        return end(userdata);
}

/* @directory need not be there. */
static int watch(Refusal *refusal, const char *directory) {
        sd_event_source *source = NULL;
        int r;

        r = sd_event_add_inotify(refusal->event, &source, directory,
                        IN_ONLYDIR | IN_CLOSE_WRITE | IN_MOVE | IN_DELETE | IN_ATTRIB, on_configuration,
                        refusal);
        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        if (r >= 0)
                r = sd_event_source_set_priority(source, SD_EVENT_PRIORITY_IMPORTANT);
        if (r >= 0)
                r = sd_event_source_set_floating(source, true);
        sd_event_source_unref(source);
        return r;
}

int refuse_run(sd_event *event, sd_bus *bus, const char *bus_name, const char *config_directory,
                const char *why) {
        _cleanup_free_ char *drop_ins = strprintf("%s/config.d", config_directory);
        Refusal refusal = { .event = event, .bus = bus, .bus_name = bus_name, .why = why };
        sd_bus_slot *filter = NULL;
        sd_event_source *timer = NULL;
        int r;

        if (!drop_ins)
                return -ENOMEM;
        r = sd_bus_add_filter(bus, &filter, on_message, &refusal);
        if (r >= 0)
                r = sd_event_add_time_relative(
                                event, &timer, CLOCK_MONOTONIC, REFUSE_TIME, 0, on_over, &refusal);
        if (r >= 0)
                r = watch(&refusal, config_directory);
        if (r >= 0)
                r = watch(&refusal, drop_ins);
        if (r >= 0)
                r = sd_bus_request_name(bus, bus_name, 0);
        if (r >= 0) {
                (void) sd_notifyf(false, "READY=1\nSTATUS=Refusing all calls: %s", why);
                r = sd_event_loop(event);
        }
        sd_event_source_disable_unref(timer);
        sd_bus_slot_unref(filter);
        return r;
}
