/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What was last seen of providers, and the inventories that were last read from them. */

#include "api/v1/v1-vm.h"

typedef struct V1Inventory {
        V1Vm *vms;
        size_t n, allocated;
} V1Inventory;
void v1_inventory_done(V1Inventory *i);

typedef struct V1Provider {
        unsigned n_ref;
        V1ProviderType type;
        char *id;
        char *host; /* libvirt: its ID at hyper-hostd */
        char *endpoint, *username; /* or NULL */
        usec_t created_at;
        bool exists; /* in the database */

        /* What was last seen. */
        bool connected;
        char *error; /* why it is not; NULL: that is not known yet */
        unsigned error_status; /* of HTTP */
        unsigned n_failed; /* in a row: it is tried again after a pause, which grows */
        char *version;
        usec_t tried_at, connected_at, last_seen;
        bool has_vms; /* @inventory was read */
        usec_t read_at;
        V1Inventory inventory;
        uint64_t vm_count; /* with @has_vms, or for a host of libvirt */
} V1Provider;

V1Provider *v1_provider_ref(V1Provider *p);
V1Provider *v1_provider_unref(V1Provider *p);

/* Sorted by ID. */
typedef struct V1Providers {
        V1Provider **list;
        size_t n, allocated;
        char *directory; /* of the file that they are written to when the daemon ends, or NULL */
} V1Providers;
