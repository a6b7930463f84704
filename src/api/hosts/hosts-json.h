/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What clients of the hosts API get. All give a new reference, or NULL when out of memory. */

#include <jansson.h>

#include "store/hosts.h"

/* A host as org.hyper1.Hosts lists it. */
typedef struct HostView {
        const char *id, *path, *uri, *name, *state, *error;
        uint32_t n_vms;
        usec_t created, updated;
} HostView;

json_t *hosts_host_json(const HostView *h);

/* Under /api/v1 states are words, under /api libvirt's numbers. */
json_t *hosts_vm_json(const VmRow *row, bool v1);
json_t *hosts_vms_json(const VmRows *rows, bool v1);

/* {"code","message","details","timestamp"} */
json_t *hosts_error_json(unsigned status, const char *message, usec_t now);
