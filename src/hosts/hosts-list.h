/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Methods that list hosts and VMs, which may be many: replies in steps (shared/step-reply.h). */

#include "hosts/hosts.h"

int hosts_method_list_hosts(sd_bus_message *message, void *userdata, sd_bus_error *error);
int hosts_method_list_vms(sd_bus_message *message, void *userdata, sd_bus_error *error);
int hosts_method_list_runtime(sd_bus_message *message, void *userdata, sd_bus_error *error);

/* GetManagedObjects(), beside sd_bus_add_object_manager(). */
int hosts_objects_register(Hosts *h);
