/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "api/stream/event-hub.h"
#include "api/bus-client.h"
#include "journal/journal-follow.h"

struct EventHub {
        Api *api;
        LIST_HEAD(, EventListener) listeners;
        JournalFollow *follow; /* while there is a listener */
        sd_event_source *stop;
};

static void on_event(JournalFollow *f, const JobEvent *event, void *userdata) {
        EventHub *h = userdata;
        EventListener *next;

        for (EventListener *l = LIST_FIRST(&h->listeners); l; l = next) {
                next = LIST_NEXT(l, listeners);
                l->on_event(event, l->userdata);
        }
}

static void on_schedule(JournalFollow *f, const ScheduleEvent *event, void *userdata) {
        EventHub *h = userdata;
        EventListener *next;

        for (EventListener *l = LIST_FIRST(&h->listeners); l; l = next) {
                next = LIST_NEXT(l, listeners);
                if (l->on_schedule)
                        l->on_schedule(event, l->userdata);
        }
}

static void on_hint(void *userdata) {
        EventHub *h = userdata;

        if (h->follow)
                journal_follow_look(h->follow);
}

/* The follower is put away from the loop, because the last listener may leave inside the follower's own
 * callback. */
static int on_stop(sd_event_source *source, void *userdata) {
        EventHub *h = userdata;

        if (LIST_EMPTY(&h->listeners)) {
                h->follow = journal_follow_free(h->follow);
                bus_client_watch_events(api_manager(h->api), NULL, NULL);
        }
        return 0;
}

int event_hub_listen(EventHub *h, EventListener *l) {
        int r;

        if (l->listening)
                return 0;
        if (!h->follow) {
                r = journal_follow_new(api_event(h->api), api_journal_directory(h->api), NULL, on_event, h,
                                &h->follow);
                if (r < 0)
                        return r;
                journal_follow_schedules(h->follow, on_schedule);
                bus_client_watch_events(api_manager(h->api), on_hint, h);
        }
        LIST_INSERT_HEAD(&h->listeners, l, listeners);
        l->listening = true;
        return 0;
}

void event_hub_ignore(EventHub *h, EventListener *l) {
        if (!l->listening)
                return;
        LIST_REMOVE(l, listeners);
        l->listening = false;
        if (LIST_EMPTY(&h->listeners))
                (void) sd_event_source_set_enabled(h->stop, SD_EVENT_ONESHOT);
}

int event_hub_new(Api *a, EventHub **ret) {
        _cleanup_(event_hub_freep) EventHub *h = NULL;
        int r;

        h = new0(EventHub, 1);
        if (!h)
                return -ENOMEM;
        h->api = a;
        LIST_INIT(&h->listeners);
        r = sd_event_add_defer(api_event(a), &h->stop, on_stop, h);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(h->stop, SD_EVENT_OFF);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(h);
        return 0;
}

EventHub *event_hub_free(EventHub *h) {
        if (!h)
                return NULL;

        assert(LIST_EMPTY(&h->listeners));
        journal_follow_free(h->follow);
        sd_event_source_disable_unref(h->stop);
        return mfree(h);
}
