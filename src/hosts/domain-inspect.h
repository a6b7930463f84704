/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a VM of libvirt is as the source of a migration: its disks, its hardware and its concerns
 * (spec/concern.h), from libvirt's description of it, which is hostile input (xml-util.h). All return 0,
 * -EBADMSG if it is no such description, or -ENOMEM. */

#include <jansson.h>

#include "basic/macro.h"

/* What is not in the description. */
typedef struct DomainFacts {
        bool running;
        bool suspended; /* its memory was saved */
        unsigned snapshots;
        const char *other_machine; /* where it is, unless that is this machine */
        /* The bytes of the disk that the VM has as @target, 0 if they are not known; NULL: none are. */
        uint64_t (*size_of)(void *userdata, const char *target);
        void *userdata;
} DomainFacts;

/* {"disks": [{"file", "format", "size"}], "vm": {"hardware": {"firmware"}, "nics": [{"type", "mac",
 * "network"}], "snapshot_count"}, "concerns"}; a new reference. */
int domain_xml_inspect(const char *xml, size_t size, const DomainFacts *facts, json_t **ret);

/* Errors and warnings only, as for lists: JSON; the caller frees. */
int domain_xml_concerns(const char *xml, size_t size, const DomainFacts *facts, char **ret);
