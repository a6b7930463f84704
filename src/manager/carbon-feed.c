/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/carbon-feed.h"

#include "basic/string-util.h"
#include "shared/bus-util.h"

/* A source is asked three times at most, with 10 seconds for each. */
#define CALL_TIMEOUT (45 * USEC_PER_SEC)
#define FRESH (5 * USEC_PER_SEC)
#define REFRESH_DEFAULT (900 * USEC_PER_SEC)

struct CarbonFeed {
        Manager *manager;
        sd_bus_slot *call;
        CarbonData *data; /* NULL: see why */
        char *why;
        usec_t refresh;
        usec_t answered_at; /* monotonic; 0: never */
        TAILQ_HEAD(, CarbonWaiter) waiters;
};

int carbon_feed_new(Manager *m, CarbonFeed **ret) {
        CarbonFeed *f = new0(CarbonFeed, 1);

        if (!f)
                return -ENOMEM;
        f->manager = m;
        f->refresh = REFRESH_DEFAULT;
        TAILQ_INIT(&f->waiters);
        *ret = f;
        return 0;
}

CarbonFeed *carbon_feed_free(CarbonFeed *f) {
        if (!f)
                return NULL;
        sd_bus_slot_unref(f->call);
        carbon_data_free(f->data);
        free(f->why);
        return mfree(f);
}

bool carbon_feed_is_fresh(const CarbonFeed *f) {
        return f->answered_at > 0 && now_monotonic() < f->answered_at + FRESH;
}

const CarbonData *carbon_feed_data(const CarbonFeed *f, const char **ret_why) {
        *ret_why = f->data ? NULL : strna(f->why);
        return f->data;
}

usec_t carbon_feed_refresh(const CarbonFeed *f) {
        return f->refresh;
}

static int read_reply(CarbonFeed *f, sd_bus_message *reply) {
        _cleanup_free_ char *why = NULL;
        const char *text;
        uint64_t refresh;
        int r;

        f->data = carbon_data_free(f->data);
        if (sd_bus_message_is_method_error(reply, NULL))
                return free_and_strdup(&f->why, sd_bus_message_get_error(reply)->message);
        r = sd_bus_message_read(reply, "st", &text, &refresh);
        if (r >= 0)
                r = carbon_data_decode(text, strlen(text), &f->data, &why);
        if (r < 0)
                return free_and_strdup(&f->why, why ? why : strerror(-r));
        f->refresh = CLAMP(refresh, USEC_PER_MINUTE, USEC_PER_HOUR);
        return 0;
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        CarbonFeed *f = userdata;
        CarbonWaiter *w;

        f->call = sd_bus_slot_unref(f->call);
        if (read_reply(f, reply) < 0)
                f->why = mfree(f->why);
        f->answered_at = now_monotonic();
        while ((w = TAILQ_FIRST(&f->waiters))) {
                carbon_feed_forget(f, w);
                w->done(f->manager, w->userdata);
        }
        return 0;
}

static int send_call(CarbonFeed *f) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r = sd_bus_message_new_method_call(f->manager->bus, &call, HYPER_CARBON_BUS_NAME,
                        HYPER_CARBON_BUS_PATH, HYPER_CARBON_INTERFACE, "GetData");

        return r < 0 ? r : sd_bus_call_async(f->manager->bus, &f->call, call, on_reply, f, CALL_TIMEOUT);
}

int carbon_feed_ask(CarbonFeed *f, CarbonWaiter *w) {
        int r = 0;

        if (w->waits)
                return 0;
        if (!f->call)
                r = send_call(f);
        if (r < 0)
                return r;
        w->waits = true;
        TAILQ_INSERT_TAIL(&f->waiters, w, entries);
        return 0;
}

void carbon_feed_forget(CarbonFeed *f, CarbonWaiter *w) {
        if (w->waits)
                TAILQ_REMOVE(&f->waiters, w, entries);
        w->waits = false;
}
