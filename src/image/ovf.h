/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The OVF descriptor (DSP0243, XML), which says what disks there are, and of what machine: of versions 0.9 to
 * 2, and oVirt's. Pure: text in, structs out. */

#include "image/ovf-descriptor.h"

void ovf_descriptor_done(OvfDescriptor *d);
#define _cleanup_ovf_ _cleanup_(ovf_descriptor_done)

/* No network, no DTD (a DOCTYPE is refused as soon as it is met, so no entity is ever expanded), depth and
 * size limited. 0; -EBADMSG with *ret_error (caller frees) for what is no OVF, has delta disks, or two files
 * of one id. */
int ovf_parse(const char *text, size_t size, OvfDescriptor *ret, char **ret_error);

/* A reference as RFC 3986 writes it, "%20" and the like decoded. NULL: out of memory, or it is malformed
 * (a NUL in it, a broken escape). The caller frees it. */
char *ovf_decode_href(const char *href);
