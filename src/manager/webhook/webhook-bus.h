/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods of org.hyper1.Manager about webhooks. */

#include <systemd/sd-bus.h>

int method_add_webhook(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_remove_webhook(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_list_webhooks(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_test_webhook(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_list_deliveries(sd_bus_message *message, void *userdata, sd_bus_error *error);
