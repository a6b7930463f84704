/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods of org.hyper1.Manager about workers and the queue. */

#include <systemd/sd-bus.h>

int method_register_worker(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_unregister_worker(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_heartbeat(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_get_worker(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_dequeue(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_report_events(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_report_result(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_list_limits(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_queue_status(sd_bus_message *message, void *userdata, sd_bus_error *error);
