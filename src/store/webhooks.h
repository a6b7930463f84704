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
