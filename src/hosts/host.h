/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A host: what is known of it, and who makes its calls. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <uthash.h>

#include "hosts/host-thread.h"
#include "hosts/libvirt-host.h"
#include "hosts/vm.h"
#include "spec/host-uri.h"
#include "store/hosts.h"

typedef struct Hosts Hosts;

/* Threads of connections that were let go and have not ended; with so many there is no further try. */
#define HOST_GHOSTS_MAX 4

typedef struct Host {
        Hosts *hosts;
        HostRow row;
        HostFacts facts;
        uint64_t cpu_busy, cpu_idle; /* of earlier facts, to compare with */
        usec_t facts_at; /* monotonic */
        Vm *vms;
        bool refused; /* its URI is not allowed, so there are no tries */
        bool adding; /* not a host yet: it is being connected to for the first time */
        sd_bus_message *add_call; /* which is answered when that has ended */
        sd_bus_message **connect_calls; /* calls of Connect that wait for the result */
        size_t n_connect_calls, n_connect_allocated;

        HostThread *thread; /* NULL: between two tries */
        HostThread *ghosts[HOST_GHOSTS_MAX];
        sd_event_source *retry;
        usec_t pause; /* before the next try */
        unsigned n_calls; /* of clients, that wait for the thread */
        char **dirty; /* UUIDs of VMs to look at again */
        size_t n_dirty;
        unsigned round; /* counts lists */
        bool list_wanted; /* all of them */
        bool looking; /* a task that lists or describes is under way */
        sd_event_source *vms_changed; /* emits one signal for many changes */

        sd_event_source *poll; /* of statistics */
        bool polling; /* a task is under way */
        bool poll_again; /* a subscriber came in between */
        UT_hash_handle hh; /* by id */
} Host;

/* Of its name, for people. */
#define HOST_NAME_MAX_BYTES 256u

/* Takes *row, also on failure. The host is in @hosts from then on. */
int host_new(Hosts *hosts, HostRow *row, Host **ret);
/* Out of @hosts, too. */
Host *host_free(Host *h);
DEFINE_CLEANUP_FUNC(Host *, host_free);

/* NULL: there is none, or it is being added. */
Host *hosts_find(Hosts *h, const char *id);

/* The one that is reached by the same URI, however it is written. NULL: there is none. */
Host *hosts_find_by_uri(Hosts *h, const HostUri *uri);

Vm *host_find_vm(Host *h, const char *uuid);
/* By UUID, or by name. */
Vm *host_find_vm_by_any(Host *h, const char *name);

/* Takes *facts as what is known of the host now. */
void host_take_facts(Host *h, HostFacts *facts);
/* Of all its processors, 0 to 100, between the last two facts; 0 if it is not known. */
double host_cpu_percent(const Host *h);
/* Seconds since the host was booted; 0: only known of this machine. */
uint64_t host_uptime(const Host *h);
