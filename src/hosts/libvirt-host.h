/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libvirt's calls about a host itself (libvirt-error.h). */

#include <libvirt/libvirt.h>

#include "basic/macro.h"

typedef struct HostFacts {
        char *hostname;
        unsigned cpu; /* logical processors */
        unsigned cores; /* per socket */
        unsigned threads; /* per core */
        uint64_t memory, memory_used; /* bytes; used is 0 if the driver cannot tell */
        uint64_t cpu_busy,
                        cpu_idle; /* of all processors, in nanoseconds since it was booted; 0 if not known */
} HostFacts;
void host_facts_done(HostFacts *f);

int libvirt_facts(virConnectPtr connection, HostFacts *ret, char **ret_error);

/* The capacity and the free space of all active storage pools, in bytes. */
int libvirt_disk_space(virConnectPtr connection, uint64_t *ret_total, uint64_t *ret_free, char **ret_error);

/* What the host can do, as JSON text (host-xml.h); the caller frees. */
int libvirt_capabilities(virConnectPtr connection, char **ret, char **ret_error);
