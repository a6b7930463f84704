/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Webhooks and the deliveries that are due to them. The same rules and errors as in store.h: each write is
 * one transaction, durable when the function returns 0.
 *
 * A delivery is made in the transaction of what it tells of (store_job_insert(), store_job_transition(),
 * store_job_progress()): what happened is told, whatever dies in between. The deliveries of one webhook are
 * tried in their order; one that failed holds those behind it up until it was delivered or given up. */

#include "shared/webhook.h"
#include "store/store.h"

typedef struct WebhookRow {
        int64_t seq; /* order of creation, set by store_webhook_insert(); never used again */
        char *url; /* to be shown: secrets "***" */
        char **events; /* as asked for; empty: all */
        uint32_t event_mask; /* bits of WebhookEvent */
        bool enabled;
        unsigned timeout; /* seconds */
        unsigned retry_count;
        char **headers; /* names */
        bool has_secret;
        char *credential; /* the name under which its secrets are kept; NULL: it has none */
        bool from_config; /* it is in the configuration file, and changes with it */
        usec_t created_at;
        uint64_t pending, delivered, failed; /* of its deliveries; not written from here */
} WebhookRow;

/* As it is shown to people and programs; @index is its place in the list. New reference; NULL when out of
 * memory. */
json_t *webhook_row_to_json(const WebhookRow *row, size_t index);

WebhookRow *webhook_row_free(WebhookRow *row);
DEFINE_CLEANUP_FUNC(WebhookRow *, webhook_row_free);

typedef struct WebhookRows {
        WebhookRow **rows;
        size_t n;
} WebhookRows;
void webhook_rows_done(WebhookRows *rows);

int store_webhook_insert(Store *s, WebhookRow *row);
/* Writes the definition of the row of that seq anew; -ENOENT. Its deliveries stay. */
int store_webhook_update(Store *s, const WebhookRow *row);
/* With its deliveries; -ENOENT. */
int store_webhook_delete(Store *s, int64_t seq);
/* All, in the order of creation: a row's place is the index that clients use. */
int store_webhooks_list(Store *s, WebhookRows *ret);

typedef enum DeliveryState {
        DELIVERY_PENDING,
        DELIVERY_DELIVERED,
        DELIVERY_FAILED, /* given up */
        _DELIVERY_STATE_MAX,
        _DELIVERY_STATE_INVALID = -EINVAL,
} DeliveryState;

const char *delivery_state_to_string(DeliveryState s) _pure_;
DeliveryState delivery_state_from_string(const char *s) _pure_;

typedef struct DeliveryRow {
        int64_t seq;
        int64_t webhook_seq;
        char *id; /* UUID: what a receiver tells repetitions by */
        char *event;
        char *body;
        DeliveryState state;
        unsigned attempts; /* made so far */
        usec_t created_at;
        usec_t due_at; /* of the next attempt, while it is pending */
        usec_t tried_at; /* the last attempt's end; 0: none yet */
        unsigned status; /* HTTP status of the last attempt; 0: there was no answer */
        usec_t duration; /* of the last attempt */
        char *error; /* why the last attempt failed, or "" */
        char *response; /* the beginning of the last answer's body */
} DeliveryRow;

typedef struct DeliveryRows {
        DeliveryRow *rows;
        size_t n;
} DeliveryRows;
void delivery_rows_done(DeliveryRows *rows);
/* As it is shown, with what was or will be sent. New reference; NULL when out of memory. */
json_t *delivery_row_to_json(const DeliveryRow *row);

/* The last ones of a webhook, newest first. */
int store_deliveries_list(Store *s, int64_t webhook_seq, uint64_t limit, DeliveryRows *ret);

/* Those that may be tried now, in order, up to @limit of each enabled webhook that is not one of @busy.
 * Where the first one is not due, none of that webhook are given. */
int store_deliveries_due(
                Store *s, usec_t now, const int64_t *busy, size_t n_busy, unsigned limit, DeliveryRows *ret);
/* When the next one is due, of webhooks that are not @busy; -ENOENT if none waits. */
int store_deliveries_next_due(Store *s, usec_t now, const int64_t *busy, size_t n_busy, usec_t *ret);

/* One delivery, as a list; -ENOENT. */
int store_delivery_get(Store *s, int64_t seq, DeliveryRows *ret);

/* How an attempt ended; strings are borrowed. */
typedef struct DeliveryResult {
        int64_t seq;
        bool success;
        unsigned status;
        usec_t duration;
        const char *error, *response;
        bool given_up; /* set by store_deliveries_record(): it was the last one allowed, and failed */
} DeliveryResult;

/* Records attempts, all in one transaction: delivered, due again after webhook_pause(), or given up. What is
 * not pending any more, or not there, is passed over. */
int store_deliveries_record(Store *s, DeliveryResult *results, size_t n, usec_t now);

/* Forgets those that have ended before @before, and those that wait since then for a webhook that is
 * disabled. */
int store_deliveries_prune(Store *s, usec_t before);
#define DELIVERIES_KEPT (7 * 86400 * USEC_PER_SEC)

/* How many are pending, and how many were ever delivered and given up. From counters. */
int store_deliveries_count(Store *s, uint64_t ret[static _DELIVERY_STATE_MAX]);
