/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods CreateVolume, SendVolume and RemoveVolume of org.hyper1.Hosts.Manager. Sending a volume ends
 * when the caller leaves the bus. */

#include <systemd/sd-bus.h>

int hosts_method_create_volume(sd_bus_message *message, void *userdata, sd_bus_error *error);
int hosts_method_send_volume(sd_bus_message *message, void *userdata, sd_bus_error *error);
int hosts_method_remove_volume(sd_bus_message *message, void *userdata, sd_bus_error *error);
