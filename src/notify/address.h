/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which addresses nothing is delivered to. A webhook's URL comes from whoever may add webhooks, and what answers on a
 * link-local address (a cloud's metadata service, RFC 3927 and RFC 4291, 2.5.6) trusts everybody on this machine.
 * Looked at when the connection is made, so that a name that leads there is no way around it. */

#include "shared/http-client.h"

/* Why nothing is delivered to this address (an http_refuse_func), or NULL. */
const char *address_refuse(
                const struct sockaddr *address, socklen_t size, char buffer[static HTTP_REFUSE_SIZE]);

/* True for 169.254.0.0/16, fe80::/10, IPv6 addresses with such an IPv4 address in them (mapped, compatible, NAT64,
 * 6to4), and for everything that is neither IPv4 nor IPv6. */
bool address_is_refused(const struct sockaddr *address, socklen_t size) _pure_;
