/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Methods of a host that libvirt must answer. All return what a handler returns. */

#include <systemd/sd-bus.h>

#include "hosts/host-items.h"
#include "hosts/host.h"

int host_call_info(Host *h, sd_bus_message *message, sd_bus_error *error);
int host_call_stats(Host *h, sd_bus_message *message, sd_bus_error *error);
int host_call_capabilities(Host *h, sd_bus_message *message, sd_bus_error *error);

/* The lists of what a host has, each a method without arguments. */
typedef struct HostList {
        const char *method; /* NULL ends the table */
        const char *types; /* of an item: its texts (s) in their order, numbers (t, u, b) in theirs */
        int (*ask)(virConnectPtr connection, HostItems *items, char **ret_error);
} HostList;
extern const HostList host_lists[];

/* The method that the message calls. */
int host_call_list(Host *h, sd_bus_message *message, sd_bus_error *error);
