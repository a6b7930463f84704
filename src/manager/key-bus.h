/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods of org.hyper1.Manager about keys for the HTTP API. */

#include <systemd/sd-bus.h>

int method_add_key(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_remove_key(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_list_keys(sd_bus_message *message, void *userdata, sd_bus_error *error);
