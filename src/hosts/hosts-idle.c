/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* While there is a host the daemon stays, to keep the list of its VMs up to date. Without a host it ends
 * after some time without a call, like hyper-managerd: it sends STOPPING=1, releases its name, and when the
 * bus has confirmed that, no call is lost. If a host was added in between, it ends with EX_TEMPFAIL, for
 * which its unit has RestartForceExitStatus=. */

#include "hosts/hosts-idle.h"

#include <sysexits.h>
#include <systemd/sd-daemon.h>

#include "basic/log.h"

static int on_released(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        Hosts *h = userdata;

        return sd_event_exit(h->event, h->by_id ? EX_TEMPFAIL : EXIT_SUCCESS);
}

static int drain(Hosts *h) {
        h->draining = true;
        log_debug("There is no host, ending until the next call.");
        (void) sd_notify(false, "STOPPING=1\nSTATUS=There is no host.");
        return sd_bus_release_name_async(h->bus, &h->release_call, HYPER_HOSTS_BUS_NAME, on_released, h);
}

static int on_idle_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Hosts *h = userdata;
        usec_t now = now_monotonic(), timeout = h->settings->daemon.idle_timeout;
        int r;

        if (!h->by_id && h->n_define_calls == 0 && bus_polkit_pending(h->polkit) == 0 &&
                        now >= h->last_call + timeout) {
                r = drain(h);
                if (r >= 0)
                        return 0;
                log_error_errno(r, "Failed to release the bus name: %m");
                return sd_event_exit(h->event, EXIT_FAILURE);
        }
        /* The last host goes with a call, so a timeout later will do. */
        usec_t due = h->by_id ? now + timeout : h->last_call + timeout;
        r = sd_event_source_set_time_relative(s, due > now ? due - now : timeout);
        if (r >= 0)
                r = sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
        return r;
}

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        Hosts *h = userdata;

        if (sd_bus_message_is_method_call(message, NULL, NULL) > 0)
                h->last_call = now_monotonic();
        return 0;
}

int hosts_idle_start(Hosts *h) {
        usec_t timeout = h->settings->daemon.idle_timeout;
        int r;

        h->last_call = now_monotonic();
        r = sd_bus_add_filter(h->bus, &h->slots[5], on_message, h);
        if (r < 0 || timeout == USEC_INFINITY)
                return r;
        return sd_event_add_time_relative(h->event, &h->idle_timer, CLOCK_MONOTONIC, timeout,
                        USEC_PER_SEC / 4, on_idle_timer, h);
}
