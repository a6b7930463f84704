/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Deliveries of events to webhooks: tried in order, kept for a while. */

#include "store/store.h"

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
