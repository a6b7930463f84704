/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Asks providers at the same time: whether they are there, or also for their VMs. What was read less than a
 * minute ago is not read again. */

#include "api/v1/v1-provider.h"

#define V1_PROVIDER_TIMEOUT (20 * USEC_PER_SEC)

/* The first member of the userdata of a request that asks providers. */
typedef struct V1Gather {
        V1Provider **providers; /* those that are asked */
        size_t n;
        V1Inventory *readings; /* of each, as far as they have come */
        bool want_vms;
        unsigned n_out; /* calls that have not come back */
        /* All have answered, or have failed: see V1Provider.error. Like a handler. */
        int (*done)(Request *r);
} V1Gather;
void v1_gather_done(V1Gather *g);

typedef struct V1GatherOptions {
        const char *which; /* as for v1_provider_is_meant(); NULL: all */
        bool vms, refresh;
        int (*done)(Request *r);
} V1GatherOptions;

/* @g belongs to the userdata of the request. 0 or negative errno. */
int v1_gather(Request *r, V1Gather *g, const V1GatherOptions *options);

/* The definition of a named source for hyper-vsphered, as a call of @member whose first argument it is. */
int v1_source_call_new(Request *r, const char *member, const char *name, sd_bus_message **ret);
