/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One call of each connected host, or of the one that the path names as {id}, whose answers become one. */

#include <systemd/sd-bus.h>

#include "api/http/request.h"

typedef struct Gather Gather;

typedef struct GatherKind {
        const char *member; /* of org.hyper1.Hosts.Host, without arguments */
        /* The answer of a host. A host that fails is left out, unless it is the only one that was asked. */
        int (*take)(Gather *g, const char *host_id, sd_bus_message *reply);
        /* All have answered: answers the request. */
        int (*finish)(Gather *g);
        void (*free)(void *userdata);
        const void *data; /* for take() */
} GatherKind;

struct Gather {
        Request *request;
        const GatherKind *kind;
        char **ids; /* of the hosts that are asked */
        size_t n_out; /* calls that have not come back */
        unsigned n_hosts, n_connected;
        void *userdata; /* for take(): NULL at first */
};

/* @kind is static. The request's userdata becomes the Gather. */
int hosts_gather(Request *r, const GatherKind *kind);
