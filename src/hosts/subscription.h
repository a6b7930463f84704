/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A VM whose statistics clients of the bus want. */

#include <systemd/sd-bus.h>
#include <uthash.h>

#include "hosts/host.h"

/* A connection to the bus with subscriptions. */
typedef struct Client {
        Hosts *hosts;
        char *name; /* ":1.42" */
        sd_bus_track *track;
        size_t n_subscriptions;
        UT_hash_handle hh;
} Client;

typedef struct Subscription {
        char *key; /* HOST/VM */
        char *host_id;
        const char *vm_name; /* in key: as the clients call it */
        Vm *vm; /* NULL: there is none now */
        Client **clients;
        size_t n_clients, n_allocated;
        UT_hash_handle hh; /* by key */
} Subscription;

Subscription *subscription_free(Subscription *s);
DEFINE_CLEANUP_FUNC(Subscription *, subscription_free);

/* Sends the last sample of the VM to @n clients. A failure is logged. */
void subscription_publish(const Subscription *s, Client *const *clients, size_t n);
