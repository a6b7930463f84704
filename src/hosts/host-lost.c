/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/host-lost.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/activity.h"
#include "hosts/bus-objects.h"
#include "hosts/hosts.h"
#include "shared/error-table.h"

#define PAUSE_MIN (1 * USEC_PER_SEC)
#define PAUSE_MAX (60 * USEC_PER_SEC)

/* A place to remember the next thread that does not come back, or -EBUSY. */
int host_find_ghost(Host *h) {
        for (size_t i = 0; i < ELEMENTSOF(h->ghosts); i++) {
                if (h->ghosts[i] && host_thread_has_ended(h->ghosts[i]))
                        h->ghosts[i] = host_thread_unref(h->ghosts[i]);
                if (!h->ghosts[i])
                        return (int) i;
        }
        return -EBUSY;
}

static void let_go(Host *h) {
        HostThread *w = TAKE_PTR(h->thread);
        int i = host_find_ghost(h);

        if (!w)
                return;
        if (i >= 0)
                h->ghosts[i] = host_thread_ref(w);
        host_thread_abandon(w);
}

/* Answers those who called Connect: @error is NULL when it is connected. */
void host_answer_connect_calls(Host *h, const char *error) {
        for (size_t i = 0; i < h->n_connect_calls; i++) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = h->connect_calls[i];
                _cleanup_(sd_bus_error_free) sd_bus_error e = SD_BUS_ERROR_NULL;

                if (!error) {
                        (void) sd_bus_reply_method_return(m, NULL);
                        continue;
                }
                (void) bus_error_setf(&e, HYPER_BUS_ERROR_LIBVIRT, "Host %s could not be connected: %s",
                                h->row.id, error);
                (void) sd_bus_reply_method_error(m, &e);
        }
        h->n_connect_calls = 0;
}

/* --- connecting again ------------------------------------------------------------------------------ */

static int on_retry(sd_event_source *s, uint64_t usec, void *userdata) {
        Host *h = userdata;

        h->hosts->connect(h);
        return 0;
}

static int arm_retry(Host *h) {
        int r = 0;

        h->pause = CLAMP(h->pause * 2, PAUSE_MIN, PAUSE_MAX);
        if (!h->retry)
                r = sd_event_add_time(h->hosts->event, &h->retry, CLOCK_MONOTONIC, 0, USEC_PER_SEC / 10,
                                on_retry, h);
        if (r >= 0)
                r = sd_event_source_set_time(h->retry, now_monotonic() + h->pause);
        if (r >= 0)
                r = sd_event_source_set_enabled(h->retry, SD_EVENT_ONESHOT);
        return r;
}

void host_set_state(Host *h, HostState state, const char *error) {
        bool connection = (h->row.state == HOST_CONNECTED) != (state == HOST_CONNECTED);
        int r;

        if (h->row.state == state && streq(h->row.error, error))
                return;
        r = free_and_strdup(&h->row.error, error);
        if (r < 0)
                log_oom();
        h->row.state = state;
        h->row.updated_at = now_realtime();
        r = store_host_set_state(h->hosts->store, h->row.id, state, error, h->row.updated_at);
        if (r < 0)
                log_warning_errno(r, "Failed to write the state of host %s to the database: %s", h->row.id,
                                store_error_text(h->hosts->store));
        host_bus_changed(h);
        if (connection)
                host_bus_connection_changed(h);
        if (connection)
                activity_note(h, NULL,
                                state == HOST_CONNECTED ? ACTIVITY_HOST_CONNECTED
                                                        : ACTIVITY_HOST_DISCONNECTED,
                                state == HOST_CONNECTED || h->row.manual ? "info" : "error",
                                state == HOST_CONNECTED          ? "connected"
                                                : isempty(error) ? "disconnected"
                                                                 : error);
}

void host_refuse(Host *h, const char *error) {
        _cleanup_(sd_bus_error_free) sd_bus_error e = SD_BUS_ERROR_NULL;

        log_info("Host %s was not added: %s", h->row.id, error);
        (void) bus_error_setf(
                        &e, HYPER_BUS_ERROR_LIBVIRT, "Host %s could not be added: %s", h->row.id, error);
        (void) sd_bus_reply_method_error(h->add_call, &e);
        host_free(h);
}

void host_drop_connection(Host *h) {
        let_go(h);
        h->looking = h->polling = h->poll_again = h->list_wanted = false;
        h->dirty = strv_free(h->dirty);
        h->n_dirty = 0;
}

void host_lost(Host *h, HostState state, const char *error) {
        int r;

        if (h->adding)
                return host_refuse(h, error);
        if (h->row.state != state || !streq(h->row.error, error))
                log_full_errno(h->row.state == HOST_CONNECTED ? LOG_WARNING : LOG_INFO, 0,
                                "Host %s is not connected: %s", h->row.id, error);
        host_drop_connection(h);
        r = arm_retry(h);
        if (r < 0)
                log_error_errno(r, "Failed to arm the timer of host %s: %m", h->row.id);
        host_answer_connect_calls(h, error);
        host_set_state(h, state, error);
}
