/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/hostd.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/activity.h"
#include "hosts/host-bus.h"
#include "hosts/host-connect.h"
#include "hosts/host-sync.h"
#include "hosts/hosts-bus.h"
#include "hosts/hosts-idle.h"
#include "hosts/libvirt-events.h"
#include "hosts/subscriptions.h"
#include "hosts/vm-bus.h"
#include "shared/daemon.h"

Hosts *hosts_free(Hosts *h) {
        Host *host, *next;

        if (!h)
                return NULL;
        hosts_drop_subscriptions(h);
        step_replies_done(&h->replies);
        HASH_ITER(hh, h->by_id, host, next) {
                host_free(host);
        }
        if (store_hosts_set_away(h->store) < 0)
                log_warning("Failed to record that no host is connected: %s", store_error_text(h->store));
        for (size_t i = 0; i < ELEMENTSOF(h->slots); i++)
                sd_bus_slot_unref(h->slots[i]);
        sd_bus_slot_unref(h->release_call);
        sd_event_source_disable_unref(h->idle_timer);
        bus_polkit_registry_free(h->polkit);
        settings_free(h->settings);
        activities_free(h->activities);
        sd_bus_unref(h->bus);
        sd_event_unref(h->event);
        free(h->state_directory);
        free(h->config_directory);
        free(h->keyfile);
        return mfree(h);
}

int hosts_new(const HostsOptions *o, Hosts **ret) {
        _cleanup_(hosts_freep) Hosts *h = new0(Hosts, 1);
        int r;

        if (!h) {
                settings_free(o->settings);
                return -ENOMEM;
        }
        h->connect = host_connect;
        h->event = sd_event_ref(o->event);
        step_replies_init(&h->replies, h->event, h);
        h->bus = sd_bus_ref(o->bus);
        h->store = o->store;
        h->settings = o->settings;
        h->state_directory = strdup(o->state_directory);
        h->config_directory = strdup(o->config_directory);
        h->keyfile = strprintf("%s/.ssh/id_ed25519", o->state_directory);
        if (!h->state_directory || !h->config_directory || !h->keyfile)
                return -ENOMEM;
        r = activities_new(&h->activities);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(h);
        return 0;
}

static int load_hosts(Hosts *h) {
        _cleanup_(host_rows_done) HostRows rows = {};
        int r = store_hosts_set_away(h->store);

        if (r >= 0)
                r = store_hosts_list(h->store, &rows);
        for (size_t i = 0; i < rows.n && r >= 0; i++) {
                Host *host;

                r = host_new(h, rows.rows + i, &host);
                if (r >= 0)
                        r = host_load_vms(host);
        }
        return r;
}

static int register_objects(Hosts *h) {
        int r = hosts_bus_register(h);

        if (r >= 0)
                r = host_bus_register(h);
        if (r >= 0)
                r = vm_bus_register(h);
        if (r >= 0)
                r = hosts_idle_start(h);
        return r;
}

int hosts_start(Hosts *h) {
        int r = load_hosts(h);

        if (r < 0)
                return log_error_errno(r, "Failed to read the hosts from the database: %s",
                                store_error_text(h->store));
        r = libvirt_events_start();
        if (r < 0)
                return log_error_errno(r, "Failed to start libvirt's event loop: %m");
        /* The objects stand before the name is requested. */
        r = register_objects(h);
        if (r < 0)
                return log_error_errno(r, "Failed to set up the bus objects: %m");
        for (Host *host = h->by_id; host; host = host->hh.next)
                if (!host->row.manual)
                        host_connect(host);
        r = sd_bus_request_name(h->bus, HYPER_HOSTS_BUS_NAME, 0);
        if (r < 0)
                return log_error_errno(r, "Failed to get the name %s on the bus: %m", HYPER_HOSTS_BUS_NAME);
        return 0;
}
