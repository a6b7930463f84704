/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which addresses events are delivered to. A webhook's URL may come from outside, and what answers on this
 * machine, in a private network or on a link-local address (a cloud's metadata service) often trusts
 * everybody who can reach it. So nothing is delivered there unless webhooks.allow_private lists the address.
 * Looked at when the connection is made, so that a name that leads there is no way around it. */

#include "http/http-client.h"
#include "shared/address-range.h"

/* The ranges of webhooks.allow_private. */
typedef struct AllowedRanges {
        AddressRange *ranges;
        size_t n;
} AllowedRanges;

void allowed_ranges_done(AllowedRanges *a);
/* Adds one; -EINVAL for what is no range. */
int allowed_ranges_add(AllowedRanges *a, const char *text);

/* Why nothing is delivered to this address (an http_refuse_func, with AllowedRanges as its userdata), or
 * NULL. */
const char *address_refuse(const struct sockaddr *sa, socklen_t size, void *allowed,
                char buffer[static HTTP_REFUSE_SIZE]);

/* What kind of address it is, for people: "a loopback address"; NULL for those of the internet. IPv6
 * addresses with an IPv4 address in them (mapped, compatible, NAT64, 6to4) are of the kind of that. */
const char *address_kind(const Address *address) _pure_;
