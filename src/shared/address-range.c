/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/address-range.h"

#include <arpa/inet.h>

#include "basic/parse-util.h"

#define TEXT_MAX 64u
#define MAPPED_BITS 96u

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static void map_ipv4(const struct in_addr *in, Address *ret) {
        memcpy(ret->bytes, mapped, sizeof(mapped));
        memcpy(ret->bytes + sizeof(mapped), in, sizeof(*in));
}

int address_from_sockaddr(const struct sockaddr *sa, socklen_t size, Address *ret) {
        if (size >= sizeof(struct sockaddr_in) && sa->sa_family == AF_INET) {
                map_ipv4(&((const struct sockaddr_in *) sa)->sin_addr, ret);
                return 0;
        }
        if (size >= sizeof(struct sockaddr_in6) && sa->sa_family == AF_INET6) {
                memcpy(ret->bytes, &((const struct sockaddr_in6 *) sa)->sin6_addr, sizeof(ret->bytes));
                return 0;
        }
        return -EAFNOSUPPORT;
}

/* The @n-th bit, counted from the left. */
static bool bit(const Address *a, unsigned n) {
        return a->bytes[n / 8] & 0x80u >> n % 8;
}

int address_range_parse(const char *text, AddressRange *ret) {
        const char *slash = strchr(text, '/');
        size_t n = slash ? (size_t) (slash - text) : strlen(text);
        unsigned most = 128, bits;
        char address[TEXT_MAX];
        AddressRange range;
        struct in_addr in;

        if (n >= sizeof(address))
                return -EINVAL;
        memcpy(address, text, n);
        address[n] = '\0';
        if (inet_pton(AF_INET, address, &in) == 1) {
                map_ipv4(&in, &range.address);
                most = 32;
        } else if (inet_pton(AF_INET6, address, range.address.bytes) != 1)
                return -EINVAL;
        bits = most;
        if (slash && (parse_unsigned(slash + 1, &bits) < 0 || bits > most))
                return -EINVAL;
        range.bits = most == 32 ? MAPPED_BITS + bits : bits;
        for (unsigned i = range.bits; i < 128; i++)
                if (bit(&range.address, i))
                        return -EINVAL;
        *ret = range;
        return 0;
}

bool address_range_contains(const AddressRange *range, const Address *address) {
        for (unsigned i = 0; i < range->bits; i++)
                if (bit(&range->address, i) != bit(address, i))
                        return false;
        return true;
}
