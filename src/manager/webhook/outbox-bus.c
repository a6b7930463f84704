/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.hyper1.Deliveries: what hyper-notifyd asks for and tells. The bus policy lets nobody else call it, and
 * a check of the user here makes sure. */

#include "manager/webhook/outbox-bus.h"

#include <systemd/sd-journal.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/webhook/outbox.h"
#include "manager/webhook/webhook.h"
#include "shared/error-table.h"
#include "store/deliveries.h"

#define BUSY_MAX 1024u
#define BATCH_MAX 256u
#define RESULTS_MAX 4096u

/* hyper-notifyd, or root: 0, or negative errno with @error set. */
static int verify_caller(Outbox *o, sd_bus_message *message, sd_bus_error *error) {
        _cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
        uid_t uid = UID_INVALID;
        int r = sd_bus_query_sender_creds(message, SD_BUS_CREDS_EUID, &creds);

        if (r >= 0)
                r = sd_bus_creds_get_euid(creds, &uid);
        if (r < 0 || (uid != 0 && (uid != o->uid || o->uid == UID_INVALID)))
                return bus_error_setf(error, HYPER_BUS_ERROR_ACCESS_DENIED,
                                "Only hyper-notifyd is given deliveries");
        return outbox_meet_notifyd(o, message);
}

/* --- NextDeliveries -------------------------------------------------------------------------------- */

static bool is_busy(const int64_t *busy, size_t n, int64_t queue) {
        for (size_t i = 0; i < n; i++)
                if (busy[i] == queue)
                        return true;
        return false;
}

static int append(sd_bus_message *reply, int64_t queue, int64_t seq, const char *id, const char *event,
                const char *url, unsigned timeout, const char *credential, const char *body) {
        return sd_bus_message_append(reply, "(xxsssuss)", queue, seq, id, event, url, (uint32_t) timeout,
                        strempty(credential), body);
}

static int append_tests(Outbox *o, sd_bus_message *reply, const int64_t *busy, size_t n_busy) {
        int r = 0;

        for (Test *t = o->tests; t && r >= 0; t = t->next) {
                if (is_busy(busy, n_busy, t->queue))
                        continue;
                t->handed_out = true;
                r = append(reply, t->queue, t->queue, t->id, t->event, t->url, t->seconds, t->credential,
                                t->body);
        }
        return r;
}

static int append_due(Outbox *o, sd_bus_message *reply, const int64_t *busy, size_t n_busy, unsigned limit) {
        _cleanup_(delivery_rows_done) DeliveryRows rows = {};
        _cleanup_(webhook_rows_done) WebhookRows hooks = {};
        Store *store = o->manager->store;
        int r = store_deliveries_due(store, o->manager->clock(), busy, n_busy, limit, &rows);

        if (r >= 0 && rows.n > 0)
                r = store_webhooks_list(store, &hooks);
        for (size_t i = 0, k = 0; i < rows.n && r >= 0; i++) {
                const DeliveryRow *d = &rows.rows[i];

                /* Both lists are in the webhooks' order. */
                while (k < hooks.n && hooks.rows[k]->seq != d->webhook_seq)
                        k++;
                if (k == hooks.n)
                        return -EBADMSG;
                r = append(reply, d->webhook_seq, d->seq, d->id, d->event, hooks.rows[k]->url,
                                hooks.rows[k]->timeout, hooks.rows[k]->credential, d->body);
        }
        return r;
}

/* How long until there is more, counted from now. */
static int append_wait(Outbox *o, sd_bus_message *reply, const int64_t *busy, size_t n_busy) {
        usec_t now = o->manager->clock(), due = USEC_INFINITY;
        int r = store_deliveries_next_due(o->manager->store, now, busy, n_busy, &due);

        if (r < 0 && r != -ENOENT)
                return r;
        return sd_bus_message_append(reply, "t",
                        due == USEC_INFINITY ? UINT64_MAX : (uint64_t) (due > now ? due - now : 0));
}

static int method_next_deliveries(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const int64_t *busy = NULL;
        Outbox *o = userdata;
        size_t size = 0;
        uint32_t limit;
        int r = verify_caller(o, message, error);

        if (r >= 0)
                r = sd_bus_message_read_array(message, 'x', (const void **) &busy, &size);
        if (r >= 0)
                r = sd_bus_message_read(message, "u", &limit);
        if (r < 0)
                return r;
        size /= sizeof(*busy);
        if (size > BUSY_MAX || limit < 1 || limit > BATCH_MAX)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "limit: must be 1 to %u; busy: at most %u", BATCH_MAX, BUSY_MAX);
        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, o->manager->settings->delivery.allow_private);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(xxsssuss)");
        if (r >= 0)
                r = append_tests(o, reply, busy, size);
        if (r >= 0)
                r = append_due(o, reply, busy, size, limit);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = append_wait(o, reply, busy, size);
        if (r < 0)
                return r;
        return sd_bus_send(NULL, reply, NULL);
}

/* --- RecordDeliveries ------------------------------------------------------------------------------ */

static Test *find_test(Outbox *o, int64_t queue) {
        for (Test *t = o->tests; t; t = t->next)
                if (t->queue == queue)
                        return t;
        return NULL;
}

/* 1 with a result, 0 at the end of the list. */
static int read_result(sd_bus_message *message, DeliveryResult *ret) {
        int r, success = 0;
        uint32_t status = 0;
        uint64_t duration = 0;

        *ret = (DeliveryResult){};
        r = sd_bus_message_read(message, "(xbutss)", &ret->seq, &success, &status, &duration, &ret->error,
                        &ret->response);
        ret->success = success;
        ret->status = status;
        ret->duration = duration;
        return r;
}

/* That something was never told is worth more than a line at the receiver's side. */
static void log_given_up(Outbox *o, int64_t seq) {
        _cleanup_(delivery_rows_done) DeliveryRows rows = {};
        _cleanup_(webhook_rows_done) WebhookRows hooks = {};
        const char *url = "a webhook";

        if (store_delivery_get(o->manager->store, seq, &rows) < 0)
                return;
        if (store_webhooks_list(o->manager->store, &hooks) >= 0)
                for (size_t i = 0; i < hooks.n; i++)
                        if (hooks.rows[i]->seq == rows.rows[0].webhook_seq)
                                url = hooks.rows[i]->url;
        (void) sd_journal_send("MESSAGE=Gave up telling %s of %s after %u attempts: %s", url,
                        rows.rows[0].event, rows.rows[0].attempts, strempty(rows.rows[0].error),
                        "MESSAGE_ID=" SD_ID128_FORMAT_STR, SD_ID128_FORMAT_VAL(MESSAGE_DELIVERY_GIVEN_UP),
                        "PRIORITY=%i", LOG_WARNING, "HYPER_WEBHOOK=%s", url, "HYPER_DELIVERY_ID=%s",
                        rows.rows[0].id, "HYPER_WEBHOOK_EVENT=%s", rows.rows[0].event, NULL);
}

static int method_record_deliveries(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_free_ DeliveryResult *list = NULL;
        size_t n = 0, allocated = 0;
        DeliveryResult result;
        Outbox *o = userdata;
        int r = verify_caller(o, message, error);

        if (r >= 0)
                r = sd_bus_message_enter_container(message, 'a', "(xbutss)");
        while (r >= 0 && (r = read_result(message, &result)) > 0) {
                Test *t = result.seq < 0 ? find_test(o, result.seq) : NULL;

                if (t)
                        outbox_test_done(t, &result);
                if (result.seq < 0)
                        continue;
                if (n >= RESULTS_MAX)
                        return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                        "results: must be at most %u", RESULTS_MAX);
                if (!GREEDY_REALLOC(list, allocated, n + 1))
                        return -ENOMEM;
                list[n++] = result;
        }
        if (r >= 0 && n > 0)
                r = store_deliveries_record(o->manager->store, list, n, o->manager->clock());
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                if (list[i].given_up)
                        log_given_up(o, list[i].seq);
        return sd_bus_reply_method_return(message, NULL);
}

const sd_bus_vtable deliveries_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("NextDeliveries", SD_BUS_ARGS("ax", busy, "u", limit),
                        SD_BUS_RESULT("as", allow_private, "a(xxsssuss)", deliveries, "t", wait),
                        method_next_deliveries, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("RecordDeliveries", SD_BUS_ARGS("a(xbutss)", results), SD_BUS_NO_RESULT,
                        method_record_deliveries, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_ARGS("DeliveriesPending", SD_BUS_NO_ARGS, 0),
        SD_BUS_VTABLE_END,
};

int outbox_bus_register(Outbox *o) {
        return sd_bus_add_object_vtable(o->manager->bus, &o->object_slot, HYPER_BUS_PATH,
                        HYPER_DELIVERIES_INTERFACE, deliveries_vtable, o);
}
