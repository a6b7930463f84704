/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The address that a request comes from. */

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Request Request;

struct sockaddr;

/* For counting: IPv4 as mapped to IPv6; of IPv6 the first 64 bits, which are one network's. Zeroes if there
 * is none (@address NULL, or not of the internet). */
void client_address_prefix(const struct sockaddr *address, uint8_t ret[static 16]);
void client_address_read(Request *r, uint8_t ret[static 16]);

/* For the log; "" if it is not known. */
const char *client_address_text(Request *r, char buf[static INET6_ADDRSTRLEN]);

/* It is this machine's. */
bool client_address_is_local(Request *r);
