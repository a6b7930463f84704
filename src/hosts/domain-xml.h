/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What there is to know of a VM from libvirt's description of it (https://libvirt.org/formatdomain.html).
 * The text comes from another machine: nothing is fetched, no entity is expanded, a document type is
 * refused. */

#include <jansson.h>

#include "basic/macro.h"

#define DOMAIN_XML_MAX ((size_t) 8 * 1024 * 1024)

typedef struct DomainSummary {
        char *description; /* <description>, or <title>, or "" */
        bool vnc, spice;
} DomainSummary;
void domain_summary_done(DomainSummary *s);

/* 0, -EBADMSG if it is no such description, -ENOMEM. */
int domain_xml_summary(const char *xml, size_t size, DomainSummary *ret);

/* {"disks":[…],"networks":[…],"graphics":[…]} as the hosts API has it; new reference. Errors as above. */
int domain_xml_hardware(const char *xml, size_t size, json_t **ret);
