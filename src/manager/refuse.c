/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sysexits.h>
#include <systemd/sd-daemon.h>

#include "basic/time-util.h"
#include "manager/refuse.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"

/* Long enough that a client which comes again every second does not run into the unit's start limit, short
 * enough that a mended file is seen soon. */
#define REFUSE_TIME (5 * USEC_PER_SEC)

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        /* (Peer answers by itself.) */
        if (sd_bus_message_is_method_call(m, NULL, NULL) <= 0 ||
                        sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Peer", NULL) > 0)
                return 0;
        (void) bus_error_setf(&error, HYPER_BUS_ERROR_UNAVAILABLE, "%s", (const char *) userdata);
        r = sd_bus_reply_method_error(m, &error);
        return r < 0 ? r : 1;
}

static int on_over(sd_event_source *s, uint64_t usec, void *userdata) {
        return sd_event_exit(sd_event_source_get_event(s), EX_CONFIG);
}

int refuse_run(sd_event *event, sd_bus *bus, const char *why) {
        int r;

        r = sd_bus_add_filter(bus, NULL, on_message, (void *) why);
        if (r >= 0)
                r = sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, REFUSE_TIME, 0, on_over, NULL);
        if (r >= 0)
                r = sd_bus_request_name(bus, HYPER_BUS_NAME, 0);
        if (r < 0)
                return r;
        (void) sd_notifyf(false, "READY=1\nSTATUS=Refusing all calls: %s", why);
        return sd_event_loop(event);
}
