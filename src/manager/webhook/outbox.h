/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The outbox: hyper-notifyd is there when a delivery is due, gets it, and says how it went. */

#include "manager/manager.h"
#include "store/deliveries.h"
#include "store/webhooks.h"

typedef struct Outbox Outbox;

int outbox_new(Manager *m, Outbox **ret);
Outbox *outbox_free(Outbox *o);
DEFINE_CLEANUP_FUNC(Outbox *, outbox_free);

/* Looks, once the current messages are handled, whether something is due. Cheap, and may come too often. */
void outbox_wake(Outbox *o);
/* Something is going on for which the manager has to stay. @o may be NULL. */
bool outbox_is_busy(const Outbox *o) _pure_;

/* An attempt that somebody waits for. Strings are borrowed; @credential may be NULL. The outcome is the
 * answer to
 * @message, as JSON. */
typedef struct TestRequest {
        const char *event, *url, *credential;
        unsigned timeout;
} TestRequest;
int outbox_test(Outbox *o, sd_bus_message *message, const TestRequest *request, sd_bus_error *error);

/* What outbox.c and outbox-bus.c have between them. */
typedef struct Test {
        Outbox *outbox;
        int64_t queue; /* negative: no webhook's */
        sd_bus_message *message;
        sd_event_source *timeout;
        char *id, *event, *url, *credential, *body;
        unsigned seconds;
        bool handed_out;
        struct Test *next;
} Test;

struct Outbox {
        Manager *manager;
        uid_t uid; /* of hyper-notifyd; UID_INVALID: there is no such user */
        sd_event_source *wake_source;
        sd_bus_slot *object_slot, *start_call, *timer_call;
        sd_bus_track *notifyd; /* hyper-notifyd, while it is connected */
        usec_t timer_due; /* what the timer is, or is to be, set to */
        unsigned timer_tries;
        bool timer_stops; /* an old one is being stopped */
        Test *tests;
        int64_t last_queue;
        usec_t pruned_at; /* monotonic */
};
#define UID_INVALID ((uid_t) -1)

/* Answers a test and forgets it. */
void outbox_test_done(Test *t, const DeliveryResult *result);
/* Somebody asked for deliveries or recorded some: that is hyper-notifyd. */
int outbox_meet_notifyd(Outbox *o, sd_bus_message *message);
