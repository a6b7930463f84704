/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Schedules on the bus: methods of org.hyper1.Manager, and the objects org.hyper1.Schedule. */

#include "manager/manager.h"

int schedule_bus_register(Manager *m);
extern const sd_bus_vtable schedule_vtable[];
/* The methods of org.hyper1.Manager about schedules. */
int method_create_schedule(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_update_schedule(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_delete_schedule(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_enable_schedule(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_disable_schedule(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_trigger_schedule(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_get_schedule(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_list_schedules(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_restore_schedules(sd_bus_message *message, void *userdata, sd_bus_error *error);
