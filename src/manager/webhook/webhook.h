/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Webhooks in the manager: their definitions (webhook.c), and the outbox, which sees to it that
 * hyper-notifyd is there when a delivery is due, gives it what to deliver and records how that went
 * (outbox.c). */

#include "manager/manager.h"
#include "store/deliveries.h"
#include "store/webhooks.h"

/* @definition is JSON (shared/webhook.h); @secrets, "name", "value", …, were cut out of it. *ret_index is
 * its place in the list. These: 0, or negative errno with @error set. */
int manager_add_webhook(Manager *m, const char *definition, char *const *secrets, uint32_t *ret_index,
                JsonErrors *fields, sd_bus_error *error);
int manager_remove_webhook(Manager *m, uint32_t index, sd_bus_error *error);
/* The row at @index out of @rows, or NoSuchWebhook. */
int manager_find_webhook(const WebhookRows *rows, uint32_t index, WebhookRow **ret, sd_bus_error *error);

/* Brings the webhooks that are from the configuration to what it says now. Those that stay keep their place
 * and their deliveries. Looks closer only if the files were changed since the last time. 0 or negative
 * errno; what is wrong with one of them is logged. */
int manager_sync_webhooks(Manager *m);

/* Removes the secrets of webhooks that are not there: an addition was cut off. */
int manager_sweep_webhook_secrets(Manager *m);
