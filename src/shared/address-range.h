/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Ranges of IP addresses, as in a configuration file: "10.0.0.0/8", "fd00::/8", "192.0.2.7". */

#include <netinet/in.h>
#include <sys/socket.h>

#include "basic/macro.h"

/* An address in the form of IPv6; those of IPv4 are mapped (RFC 4291, 2.5.5.2). */
typedef struct Address {
        uint8_t bytes[16];
} Address;

typedef struct AddressRange {
        Address address;
        unsigned bits; /* how many of its leading bits count: 0 to 128 */
} AddressRange;

/* 0, or -EAFNOSUPPORT for what is neither IPv4 nor IPv6 or too short. */
int address_from_sockaddr(const struct sockaddr *sa, socklen_t size, Address *ret);

/* 0, or -EINVAL: no address, too many bits, or bits set behind those that count. */
int address_range_parse(const char *text, AddressRange *ret);
bool address_range_contains(const AddressRange *range, const Address *address) _pure_;
