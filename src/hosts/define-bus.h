/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods DescribeTarget and DefineVm of org.hyper1.Hosts.Manager: a connection to libvirt for each call,
 * on a thread of its own, whether the host is in the list or not. */

#include <systemd/sd-bus.h>

int hosts_method_describe_target(sd_bus_message *message, void *userdata, sd_bus_error *error);
int hosts_method_define_vm(sd_bus_message *message, void *userdata, sd_bus_error *error);
