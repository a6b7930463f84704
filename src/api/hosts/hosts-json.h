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

/* @manual: it is connected on request only. */
json_t *hosts_host_json(const HostView *h, bool manual);

/* A VM: its row, and what the database does not have. */
typedef struct VmView {
        const VmRow *row;
        const char *host_id, *host_name;
        bool connected; /* its host is */
        const char *task; /* "" if there is none */
        usec_t started; /* since 1970; 0: not known */
} VmView;

/* Under /api/v1 the state is a word, under /api libvirt's number. */
json_t *hosts_vm_json(const VmView *vm, bool v1);

/* {"code","message","details","timestamp"} */
json_t *hosts_error_json(unsigned status, const char *bus_name, const char *message, usec_t now);
