/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods of org.hyper1.Manager about named sources, and org.hyper1.Sources, which is for hyper-vsphered
 * only. */

#include "manager/manager.h"

int method_add_source(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_remove_source(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_list_sources(sd_bus_message *message, void *userdata, sd_bus_error *error);

extern const sd_bus_vtable sources_vtable[];
int source_bus_register(Manager *m);
