/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All hosts, and the VMs of each, one after the other. Between two of them, hosts and VMs may come and go:
 * those that have gone are passed over, those that have come are not met. */

#include "hosts/hosts.h"
#include "hosts/vm.h"

typedef struct HostWalk {
        Hosts *hosts;
        char **ids; /* of the hosts */
        size_t id; /* the host whose turn it is */
        char **uuids; /* of the VMs of that; NULL: the host itself is next */
        size_t uuid;
} HostWalk;

/* @only: this host, or NULL for all. */
int host_walk_begin(HostWalk *w, Hosts *hosts, const Host *only);
/* A host, with *ret_vm NULL, and then each of its VMs. 1, 0 at the end, or -ENOMEM. */
int host_walk_next(HostWalk *w, Host **ret_host, Vm **ret_vm);
void host_walk_done(HostWalk *w);
