/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Further methods of org.hyper1.Hosts.Manager: handlers for its table. */

#include <systemd/sd-bus.h>

int hosts_method_get_vm(sd_bus_message *message, void *userdata, sd_bus_error *error);
int hosts_method_inspect_vm(sd_bus_message *message, void *userdata, sd_bus_error *error);
int hosts_method_list_activity(sd_bus_message *message, void *userdata, sd_bus_error *error);
int hosts_method_get_setting(sd_bus_message *message, void *userdata, sd_bus_error *error);
int hosts_method_set_setting(sd_bus_message *message, void *userdata, sd_bus_error *error);
