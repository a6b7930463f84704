/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* hyper-hostd: libvirt hosts and their VMs, on the bus and in a database of its own. What it depends on is
 * given to it, so that tests use a private bus and a temporary database. */

#include "hosts/hosts.h"

typedef struct HostsOptions {
        sd_event *event;
        sd_bus *bus;
        Store *store; /* as STORE_OWNER, of store_open_hosts() */
        Settings *settings; /* the daemon's from hosts_new() on, also on failure */
        const char *state_directory; /* .ssh/ is in it */
        const char *config_directory; /* read again by hosts_reload() */
} HostsOptions;

int hosts_new(const HostsOptions *options, Hosts **ret);
/* Records in the database that no host is connected any more. */
Hosts *hosts_free(Hosts *h);
DEFINE_CLEANUP_FUNC(Hosts *, hosts_free);

/* Loads the hosts, puts the objects on the bus, begins to connect, requests the name. */
int hosts_start(Hosts *h);
