/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a running VM has otherwise than its persistent description, which is in force after its next start. */

#include <stddef.h>

/* Both are libvirt's XML. *ret: what differs, of "vcpus, memory, disks, networks, displays"; "": nothing. 0
 * with *ret for the caller to free, -EBADMSG if one of them is no such description, or -ENOMEM. */
int domain_xml_drift(const char *live, size_t live_size, const char *persistent, size_t persistent_size,
                char **ret);
