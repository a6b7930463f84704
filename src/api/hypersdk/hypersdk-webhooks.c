/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hypersdk/hypersdk-webhooks.h"
#include "api/http/list-reply.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/hypersdk/hypersdk-reply.h"
#include "api/job-json.h"
#include "api/job-submit.h"
#include "api/reading.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "store/deliveries.h"
#include "store/webhook-json.h"
#include "store/webhooks.h"

#define DELIVERIES_DEFAULT 100u
#define DELIVERIES_MAX 1000u

/* No database yet is the same as one without webhooks. */
static int read_rows(Request *r, WebhookRows *ret) {
        Store *store;
        int k = api_store(request_api(r), &store);

        if (k >= 0)
                k = store_webhooks_list(store, ret);
        return k == -ENOENT ? 0 : k;
}

/* The webhook that the path names: its row stays in @rows. What is wrong has been answered. */
static int find_row(Request *r, WebhookRows *rows, unsigned *ret_index) {
        const char *text = request_param(r, "index");
        int k;

        if (parse_unsigned(text, ret_index) < 0)
                return request_reply_error(r, 400, "index: must be a whole number, from 0"), -EINVAL;
        k = read_rows(r, rows);
        if (k < 0)
                return k;
        if (*ret_index >= rows->n)
                return request_reply_error(r, 404, "Webhook %u not found", *ret_index), -ENOENT;
        return 0;
}

int hypersdk_list_webhooks(Request *r) {
        _cleanup_(webhook_rows_done) WebhookRows rows = {};
        _cleanup_json_ json_t *list = json_array();
        int k = list ? read_rows(r, &rows) : -ENOMEM;

        if (k < 0)
                return k;
        for (size_t i = 0; i < rows.n; i++)
                if (json_array_append_new(list, webhook_row_to_json(rows.rows[i], i)) < 0)
                        return -ENOMEM;
        return request_reply_json(r, 200,
                        json_pack("{s:O, s:I, s:o}", "webhooks", list, "total", (json_int_t) rows.n,
                                        "timestamp", json_time(now_realtime())));
}

int hypersdk_get_webhook(Request *r) {
        _cleanup_(webhook_rows_done) WebhookRows rows = {};
        unsigned index;
        int k = find_row(r, &rows, &index);

        return k < 0 ? k : request_reply_json(r, 200, webhook_row_to_json(rows.rows[index], index));
}

/* --- deliveries ------------------------------------------------------------------------------------ */

typedef struct DeliveryParameters {
        uint64_t limit;
} DeliveryParameters;

const QueryField hypersdk_delivery_parameters[] = {
        { .key = "limit",
                        .type = QUERY_UINT64,
                        .offset = offsetof(DeliveryParameters, limit),
                        .min = 1,
                        .max = DELIVERIES_MAX },
        {},
};

/* What receivers answer, which may be a service inside a network, is for admins. */
static json_t *delivery_json(bool is_admin, const DeliveryRow *row) {
        _cleanup_json_ json_t *shown = delivery_row_to_json(row);

        if (shown && !is_admin && json_object_set_new(shown, "response", json_null()) < 0)
                return NULL;
        return TAKE_PTR(shown);
}

/* In steps: each delivery has what was sent, as JSON. */
#define DELIVERIES_STEP 50u

typedef struct DeliveryList {
        bool is_admin;
        DeliveryRows rows;
        size_t told;
} DeliveryList;

static void delivery_list_free(void *userdata) {
        DeliveryList *l = userdata;

        delivery_rows_done(&l->rows);
        free(l);
}

static int deliveries_step(void *userdata, json_t **ret) {
        _cleanup_json_ json_t *list = json_array();
        DeliveryList *l = userdata;
        size_t end = MIN(l->rows.n, l->told + DELIVERIES_STEP);

        for (; l->told < end; l->told++)
                if (json_array_append_new(list, delivery_json(l->is_admin, &l->rows.rows[l->told])) < 0)
                        return -ENOMEM;
        if (!list)
                return -ENOMEM;
        *ret = TAKE_PTR(list);
        return l->told < l->rows.n;
}

/* They are read in a thread: a thousand have some megabytes. */
typedef struct DeliveriesReading {
        int64_t webhook;
        uint64_t limit;
        DeliveryList *list;
        json_t *head; /* without the total */
} DeliveriesReading;

static void deliveries_reading_free(void *userdata) {
        DeliveriesReading *g = userdata;

        if (g->list)
                delivery_list_free(g->list);
        json_decref(g->head);
        free(g);
}

static int read_deliveries(Store *store, void *userdata) {
        DeliveriesReading *g = userdata;

        return store_deliveries_list(store, g->webhook, g->limit, &g->list->rows);
}

static int reply_deliveries(Request *r, int result, void *userdata) {
        DeliveriesReading *g = userdata;

        if (result < 0)
                return result;
        if (json_object_set_new(g->head, "total", json_integer((json_int_t) g->list->rows.n)) < 0)
                return -ENOMEM;
        return request_reply_list(r, TAKE_PTR(g->head), "deliveries", deliveries_step, TAKE_PTR(g->list),
                        delivery_list_free);
}

int hypersdk_list_deliveries(Request *r) {
        static const ReadingOps ops = { read_deliveries, reply_deliveries, deliveries_reading_free };
        _cleanup_(webhook_rows_done) WebhookRows rows = {};
        DeliveryParameters q = { .limit = DELIVERIES_DEFAULT };
        const WebhookRow *row;
        DeliveriesReading *g;
        unsigned index;
        int k;

        k = request_query_decode(r, &q);
        if (k >= 0)
                k = find_row(r, &rows, &index);
        if (k < 0)
                return k;
        row = rows.rows[index];
        g = new0(DeliveriesReading, 1);
        if (!g)
                return -ENOMEM;
        g->webhook = row->seq;
        g->limit = q.limit;
        g->list = new0(DeliveryList, 1);
        g->head = json_pack("{s:I, s:I, s:I, s:o}", "pending", (json_int_t) row->pending, "delivered",
                        (json_int_t) row->delivered, "failed", (json_int_t) row->failed, "timestamp",
                        json_time(now_realtime()));
        if (!g->list || !g->head) {
                deliveries_reading_free(g);
                return -ENOMEM;
        }
        g->list->is_admin = request_role(r) >= ROLE_ADMIN;
        return request_read(r, &ops, g);
}

/* --- changes --------------------------------------------------------------------------------------- */

static int on_added(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        _cleanup_(webhook_rows_done) WebhookRows rows = {};
        uint32_t index;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = sd_bus_message_read(m, "u", &index);
        if (k >= 0)
                k = read_rows(r, &rows);
        if (k < 0)
                return k;
        /* (Somebody may have removed it again.) */
        return request_reply_json(r, 201,
                        json_pack("{s:s, s:I, s:o, s:o}", "message", "webhook added successfully", "index",
                                        (json_int_t) index, "webhook",
                                        index < rows.n ? webhook_row_to_json(rows.rows[index], index)
                                                       : json_null(),
                                        "timestamp", json_time(now_realtime())));
}

/* The fields for which zero is no valid value: typed clients send it for fields that are not set. */
static const char *const zero_is_absent[] = { "name", "description", "timeout", "retry", "secret", "events",
        "headers" };

static void remove_zeros(json_t *body) {
        for (size_t i = 0; i < ELEMENTSOF(zero_is_absent); i++) {
                json_t *value = json_object_get(body, zero_is_absent[i]);

                if (value && json_is_zero_value(value))
                        (void) json_object_del(body, zero_is_absent[i]);
        }
}

/* The secrets go beside the definition, where the bus does not show them. */
static int add_call_new(Request *r, json_t *body, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_json_ json_t *definition = NULL, *secrets = NULL;
        _cleanup_free_ char *text = NULL;
        int k;

        remove_zeros(body);
        k = webhook_secrets_cut(body, &definition, &secrets);
        if (k < 0)
                return k;
        text = json_dumps(definition, JSON_COMPACT);
        if (!text)
                return -ENOMEM;
        k = manager_call_new(r, "AddWebhook", &m);
        if (k < 0)
                return k;
        k = sd_bus_message_append(m, "s", text);
        if (k < 0)
                return k;
        k = sd_bus_message_open_container(m, 'a', "{sv}");
        if (k < 0)
                return k;
        k = job_submit_append_secrets(m, secrets);
        if (k < 0)
                return k;
        k = sd_bus_message_close_container(m);
        if (k < 0)
                return k;
        *ret = TAKE_PTR(m);
        return 0;
}

int hypersdk_add_webhook(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_json_ json_t *body = NULL;
        int k = request_json_object(r, &body);

        if (k >= 0)
                k = add_call_new(r, body, &m);
        return k < 0 ? k : manager_call(r, m, on_added, NULL);
}

static int on_removed(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        return hypersdk_reply_message(r, 200, error, "webhook deleted successfully");
}

int hypersdk_remove_webhook(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(webhook_rows_done) WebhookRows rows = {};
        unsigned index;
        int k = find_row(r, &rows, &index);

        if (k >= 0)
                k = manager_call_new(r, "RemoveWebhook", &m);
        if (k >= 0)
                k = sd_bus_message_append(m, "u", (uint32_t) index);
        return k < 0 ? k : manager_call(r, m, on_removed, NULL);
}

/* --- tests ----------------------------------------------------------------------------------------- */

/* What came back, in the words of clients: the answer's status, how long it took, what was wrong. */
static int on_tested(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        _cleanup_json_ json_t *result = NULL;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = hypersdk_read_object(m, &result);
        if (k < 0)
                return k;
        const char *message = json_is_true(json_object_get(result, "success")) ? "test webhook sent"
                                                                               : "test webhook failed";
        if (json_object_set_new(result, "message", json_string(message)) < 0 ||
                        json_object_set(result, "status", json_object_get(result, "status_code")) < 0 ||
                        json_object_set_new(result, "timestamp", json_time(now_realtime())) < 0)
                return -ENOMEM;
        return request_reply_json(r, 200, TAKE_PTR(result));
}

/* @test names what is tested; the event may be in @body. */
static int call_test(Request *r, json_t *body, json_t *test) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        json_t *event = json_object_get(body, "event");
        _cleanup_free_ char *text = NULL;
        int k;

        if (!test || (event && json_object_set(test, "event", event) < 0))
                return -ENOMEM;
        text = json_dumps(test, JSON_COMPACT);
        if (!text)
                return -ENOMEM;
        k = manager_call_new(r, "TestWebhook", &m);
        if (k >= 0)
                k = sd_bus_message_append(m, "s", text);
        return k < 0 ? k : manager_call(r, m, on_tested, NULL);
}

int hypersdk_test_any_webhook(Request *r) {
        _cleanup_json_ json_t *body = NULL, *test = json_object();
        static const char *const keys[] = { "url", "index" };
        int k = request_json_object(r, &body);

        if (k < 0)
                return k;
        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                json_t *value = json_object_get(body, keys[i]);

                if (value && json_object_set(test, keys[i], value) < 0)
                        return -ENOMEM;
        }
        return call_test(r, body, test);
}

int hypersdk_test_webhook(Request *r) {
        _cleanup_(webhook_rows_done) WebhookRows rows = {};
        _cleanup_json_ json_t *body = NULL, *test = NULL;
        unsigned index;
        int k = find_row(r, &rows, &index);

        /* A body may be left out. */
        if (k >= 0 && *request_body(r, NULL))
                k = request_json_object(r, &body);
        if (k < 0)
                return k;
        test = json_pack("{s:I}", "index", (json_int_t) index);
        return call_test(r, body, test);
}
