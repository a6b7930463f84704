/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods DescribeTarget and DefineVm of org.hyper1.Hosts.Manager. */

#include <systemd/sd-bus.h>

#include "spec/kvm-domain.h"

/* The domain in the argument of a call. 0, or a negative errno with @error. */
int define_call_domain(const char *text, KvmDomain **ret, sd_bus_error *error);

int hosts_method_describe_target(sd_bus_message *message, void *userdata, sd_bus_error *error);
int hosts_method_define_vm(sd_bus_message *message, void *userdata, sd_bus_error *error);
