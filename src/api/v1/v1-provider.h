/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Providers: named sources of vSphere, hosts of libvirt, and the files of this machine. What was last seen of
 * each, and the inventory that was last read from it, are kept in memory. Those of vSphere are in a file
 * while the daemon does not run, since it exits when it is idle. */

#include "api/http/request.h"
#include "api/v1/v1-vm.h"

/* The libvirt of this machine, whether hyper-hostd has it in its list or not. */
#define V1_LIBVIRT_ID "libvirt"
#define V1_LOCAL_ID "local"
#define V1_LIBVIRT_URI "qemu:///system"
/* The ID at hyper-hostd that it gets when it is added here. */
#define V1_LIBVIRT_HOST "local"

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

/* All that exist now, by the databases; they belong to the daemon. 0 or negative errno. */
int v1_providers_get(Request *r, const V1Providers **ret);

/* Those of the last request that has asked for them, as they were then. 0 or negative errno. */
int v1_providers_kept(Api *a, const V1Providers **ret);

/* "type" or "id" in the lists of words @types_or_ids; NULL: all. */
bool v1_provider_is_meant(const V1Provider *p, const char *words);

/* It has answered, or has not: @error NULL. */
int v1_provider_note(V1Provider *p, const char *error, unsigned status);

json_t *v1_provider_json(const V1Provider *p);
extern const Schema v1_provider_schema;
