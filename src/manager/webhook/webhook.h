/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Webhooks in the manager: their definitions (webhook.c), and the outbox, which sees to it that
 * hyper-notifyd is there when a delivery is due, gives it what to deliver and records how that went
 * (outbox.c). */

#include "manager/manager.h"
#include "store/webhooks.h"

/* --- webhook.c: the definitions -------------------------------------------------------------------- */

/* @definition is JSON (shared/webhook.h); @secrets, "name", "value", …, were cut out of it. *ret_index is
 * its place in the list. These: 0, or negative errno with @error set. */
int manager_add_webhook(Manager *m, const char *definition, char *const *secrets, uint32_t *ret_index,
                sd_bus_error *error);
int manager_remove_webhook(Manager *m, uint32_t index, sd_bus_error *error);
/* The row at @index out of @rows, or NoSuchWebhook. */
int manager_find_webhook(const WebhookRows *rows, uint32_t index, WebhookRow **ret, sd_bus_error *error);

/* Brings the webhooks that are from the configuration to what it says now. Those that stay keep their place
 * and their deliveries. Looks closer only if the files were changed since the last time. 0 or negative
 * errno; what is wrong with one of them is logged. */
int manager_sync_webhooks(Manager *m);

/* Removes the secrets of webhooks that are not there: an addition was cut off. */
int manager_sweep_webhook_secrets(Manager *m);

/* --- webhook-bus.c --------------------------------------------------------------------------------- */

/* The methods of org.hyper1.Manager about webhooks. */
int method_add_webhook(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_remove_webhook(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_list_webhooks(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_test_webhook(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_list_deliveries(sd_bus_message *message, void *userdata, sd_bus_error *error);

/* --- outbox.c -------------------------------------------------------------------------------------- */

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

/* --- outbox-bus.c ---------------------------------------------------------------------------------- */

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

extern const sd_bus_vtable deliveries_vtable[];
int outbox_bus_register(Outbox *o);
/* Somebody asked for deliveries or recorded some: that is hyper-notifyd. */
int outbox_meet_notifyd(Outbox *o, sd_bus_message *message);
/* Answers a test and forgets it. */
void outbox_test_done(Test *t, const DeliveryResult *result);
