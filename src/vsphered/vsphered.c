/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The daemon ends when no call has come for some time and no session is open: it sends STOPPING=1, releases
 * its name, and when the bus has confirmed that, no call is lost. Calls that came before that are answered
 * first. */

#include "vsphered/vsphered.h"

#include <curl/curl.h>
#include <jansson.h>
#include <libxml/parser.h>
#include <systemd/sd-daemon.h>

#include "basic/log.h"
#include "vsphered/call.h"
#include "vsphered/methods.h"

#define CALL_TIMEOUT USEC_PER_MINUTE
#define SESSION_IDLE USEC_PER_MINUTE

static bool is_busy(const Vsphered *v) {
        return v->calls || servers_count(v->servers) > 0 || bus_polkit_pending(v->polkit) > 0;
}

static void check_idle(Vsphered *v) {
        if (v->released && !is_busy(v))
                (void) sd_event_exit(v->event, EXIT_SUCCESS);
}

static void on_servers_idle(void *userdata) {
        check_idle(userdata);
}

static int on_released(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        Vsphered *v = userdata;

        v->released = true;
        check_idle(v);
        return 0;
}

static int on_idle_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Vsphered *v = userdata;
        usec_t now = now_monotonic(), timeout = v->settings->daemon.idle_timeout, due;
        int r;

        if (!is_busy(v) && now >= v->last_call + timeout) {
                v->draining = true;
                log_debug("No call and no session, ending until the next call.");
                (void) sd_notify(false, "STOPPING=1\nSTATUS=Nothing to do.");
                return sd_bus_release_name_async(
                                v->bus, &v->release_call, HYPER_VSPHERE_BUS_NAME, on_released, v);
        }
        due = is_busy(v) ? now + timeout : v->last_call + timeout;
        r = sd_event_source_set_time_relative(s, due > now ? due - now : timeout);
        return r < 0 ? r : sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        Vsphered *v = userdata;

        if (sd_bus_message_is_method_call(message, NULL, NULL) > 0)
                v->last_call = now_monotonic();
        return 0;
}

static int start_idle(Vsphered *v) {
        usec_t timeout = v->settings->daemon.idle_timeout;
        int r = sd_bus_add_filter(v->bus, &v->slots[1], on_message, v);

        v->last_call = now_monotonic();
        if (r < 0 || timeout == USEC_INFINITY)
                return r;
        return sd_event_add_time_relative(v->event, &v->idle_timer, CLOCK_MONOTONIC, timeout,
                        USEC_PER_SEC / 4, on_idle_timer, v);
}

/* The threads of the servers use them, and they initialize themselves without a lock. */
static void initialize_libraries(void) {
        curl_global_init(CURL_GLOBAL_DEFAULT);
        xmlInitParser();
        json_object_seed(0);
}

int vsphered_new(const VspheredOptions *options, Vsphered **ret) {
        _cleanup_(vsphered_freep) Vsphered *v = new0(Vsphered, 1);
        int r;

        if (!v) {
                settings_free(options->settings);
                return -ENOMEM;
        }
        initialize_libraries();
        v->event = sd_event_ref(options->event);
        v->bus = sd_bus_ref(options->bus);
        v->settings = options->settings;
        v->settled = check_idle;
        v->call_timeout = options->call_timeout ?: CALL_TIMEOUT;
        const ServersOptions servers = {
                .event = v->event,
                .session_idle = options->session_idle ?: SESSION_IDLE,
                .on_idle = on_servers_idle,
                .userdata = v,
        };
        r = servers_new(&servers, &v->servers);
        if (r >= 0)
                r = methods_register(v);
        if (r >= 0)
                r = start_idle(v);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(v);
        return 0;
}

Vsphered *vsphered_free(Vsphered *v) {
        if (!v)
                return NULL;
        v->released = false;
        v->servers = servers_free(v->servers);
        while (v->calls)
                call_free(v->calls);
        for (size_t i = 0; i < ELEMENTSOF(v->slots); i++)
                sd_bus_slot_unref(v->slots[i]);
        sd_bus_slot_unref(v->release_call);
        sd_event_source_disable_unref(v->idle_timer);
        bus_polkit_registry_free(v->polkit);
        settings_free(v->settings);
        sd_bus_unref(v->bus);
        sd_event_unref(v->event);
        return mfree(v);
}
