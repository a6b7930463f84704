/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods DescribeTarget and DefineVm of org.hyper1.Hosts.Manager: a connection to libvirt for each call,
 * on a thread of its own, whether the host is in the list or not. */

#include <systemd/sd-bus.h>

#include "hosts/hosts.h"
#include "spec/kvm-domain.h"

/* May a call about that libvirt be made? Otherwise a negative errno, with @error. */
int define_call_check(Hosts *h, const char *uri, sd_bus_error *error);

/* The domain in the argument of a call. Likewise. */
int define_call_domain(const char *text, KvmDomain **ret, sd_bus_error *error);

int hosts_method_describe_target(sd_bus_message *message, void *userdata, sd_bus_error *error);
int hosts_method_define_vm(sd_bus_message *message, void *userdata, sd_bus_error *error);
