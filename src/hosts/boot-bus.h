/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods CheckBoot and EndBootCheck of org.hyper1.Hosts.Manager. A proof ends when its caller leaves the
 * bus. */

#include <systemd/sd-bus.h>

int hosts_method_check_boot(sd_bus_message *message, void *userdata, sd_bus_error *error);
int hosts_method_end_boot_check(sd_bus_message *message, void *userdata, sd_bus_error *error);
