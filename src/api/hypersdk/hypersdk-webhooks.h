/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /webhooks of the HyperSDK API: reads come from the database, changes go to the manager. */

#include "api/http/request.h"

int hypersdk_list_webhooks(Request *r);
int hypersdk_add_webhook(Request *r);
int hypersdk_get_webhook(Request *r);
int hypersdk_remove_webhook(Request *r);
/* With the index in the path, or in the body. */
int hypersdk_test_webhook(Request *r);
int hypersdk_test_any_webhook(Request *r);
int hypersdk_list_deliveries(Request *r);

/* ?limit of the deliveries */
extern const QueryField hypersdk_delivery_parameters[];
