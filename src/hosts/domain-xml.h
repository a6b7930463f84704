/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What there is to know of a VM from libvirt's description of it (https://libvirt.org/formatdomain.html),
 * which is hostile input (xml-util.h). All return 0, -EBADMSG if it is no such description, or -ENOMEM. */

#include <jansson.h>

#include "hosts/host-items.h"

typedef struct DomainSummary {
        char *description; /* <description>, or <title>, or "" */
        char *cpu_model; /* its model, or else its mode, or "" */
        char *cpu_topology; /* {"sockets":…,"cores":…,"threads":…}, or "" */
        char *os_type; /* libosinfo's short id as "debian/12", or else <type>, or "" */
        char **disks; /* targets of its disks (no drives for discs): "vda" */
        char **macs; /* of its NICs, as vm_mac_normalize() writes them */
        bool vnc, spice;
} DomainSummary;
void domain_summary_done(DomainSummary *s);

int domain_xml_summary(const char *xml, size_t size, DomainSummary *ret);

/* {"disks":[…],"networks":[…],"graphics":[…]} as the hosts API has it; new reference. */
int domain_xml_hardware(const char *xml, size_t size, json_t **ret);
