/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which addresses nothing is delivered to. A webhook's URL comes from whoever may add webhooks, and what answers on a
 * link-local address (a cloud's metadata service, RFC 3927 and RFC 4291, 2.5.6) trusts everybody on this machine.
 * Looked at when the connection is made, so that a name that leads there is no way around it. */

#include <sys/socket.h>

#include "basic/macro.h"

/* True for 169.254.0.0/16, fe80::/10, IPv6 addresses with such an IPv4 address in them (mapped, compatible, NAT64,
 * 6to4), and for everything that is neither IPv4 nor IPv6. */
bool address_is_refused(const struct sockaddr *address, socklen_t size) _pure_;

/* The address as text, "?" if it is none of IP. */
#define ADDRESS_TEXT_SIZE 64
const char *address_to_text(
                const struct sockaddr *address, socklen_t size, char buffer[static ADDRESS_TEXT_SIZE]);
