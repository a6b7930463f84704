/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods of org.hyper1.Manager about uploads, except those about chunks (chunk-bus.h). */

#include <systemd/sd-bus.h>

#include "manager/manager.h"

int method_create_upload(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_get_upload(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_complete_upload(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_delete_upload(sd_bus_message *message, void *userdata, sd_bus_error *error);
