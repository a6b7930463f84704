/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A call of the bus that has a thread and a connection to libvirt of its own, whether the host is in the list
 * or not: what takes long affects nothing else. */

#include <libvirt/libvirt.h>
#include <stdatomic.h>
#include <systemd/sd-bus.h>

#include "hosts/host-thread.h"
#include "hosts/hosts.h"

typedef struct ThreadCall ThreadCall;

/* The first member of what a method needs. */
struct ThreadCall {
        Task task;
        /* In the thread. Negative errno with @error, if there is more to say. */
        int (*run)(ThreadCall *c, virConnectPtr connection, char **ret_error);
        /* In the loop: appends the results to the reply; NULL: there are none. */
        int (*reply)(ThreadCall *c, sd_bus_message *reply);
        /* Frees @c. */
        void (*free)(ThreadCall *c);
        bool refuses; /* -EEXIST and -EINVAL are not libvirt's, but about what the caller has asked for */
        atomic_bool cancelled; /* the caller has left the bus, or the call has timed out */
        bool local; /* it is the libvirt of this machine */

        /* private */
        Hosts *hosts;
        HostThread *thread;
        sd_bus_message *message;
        sd_bus_track *track; /* the caller */
        char *uri;
};

/* Whom a call is about. */
typedef struct CallTarget {
        char *uri; /* what libvirt is given */
        const Host *host; /* in the list; NULL: this machine, which need not be in there */
        bool local;
} CallTarget;

void call_target_done(CallTarget *t);

/* May a call about that libvirt be made? It must be that of this machine, or of a host in the list.
 * Otherwise a negative errno, with @error. */
int call_target_find(Hosts *h, const char *uri, CallTarget *ret, sd_bus_error *error);

/* Begins a call: @message is answered when it has ended. Takes @c, also on failure. 1 or negative errno. */
int thread_call_start(
                ThreadCall *c, Hosts *h, const CallTarget *target, usec_t timeout, sd_bus_message *message);
