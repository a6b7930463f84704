/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "notify/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

/* What the registries of special addresses say (RFC 6890, and IANA's that followed it). The first that fits
 * counts. */
static const struct {
        uint8_t address[4];
        unsigned bits;
        const char *kind;
} ipv4_kinds[] = {
        { { 127, 0, 0, 0 }, 8, "a loopback address" }, { { 169, 254, 0, 0 }, 16, "a link-local address" },
        { { 10, 0, 0, 0 }, 8, "a private address" }, { { 172, 16, 0, 0 }, 12, "a private address" },
        { { 192, 168, 0, 0 }, 16, "a private address" },
        { { 100, 64, 0, 0 }, 10, "a private address" }, /* of a provider's, RFC 6598 */
        { { 192, 0, 0, 0 }, 24, "a reserved address" },
        { { 198, 18, 0, 0 }, 15, "a reserved address" }, /* for benchmarks, RFC 2544 */
        { { 0, 0, 0, 0 }, 8, "an address of this machine" }, { { 224, 0, 0, 0 }, 4, "a multicast address" },
        { { 240, 0, 0, 0 }, 4, "a reserved address" }, /* and 255.255.255.255 */
};

static const struct {
        uint8_t address[16];
        unsigned bits;
        const char *kind;
} ipv6_kinds[] = {
        { { [15] = 1 }, 128, "a loopback address" },
        { { 0 }, 128, "an address of this machine" },
        { { 0xfe, 0x80 }, 10, "a link-local address" },
        { { 0xfe, 0xc0 }, 10, "a private address" }, /* site-local, given up long ago */
        { { 0xfc }, 7, "a private address" },
        { { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 }, 48,
                        "a private address" }, /* NAT64 of one's own, RFC 8215 */
        { { 0xff }, 8, "a multicast address" },
};

/* Where IPv6 addresses carry an IPv4 address to which their packets may go. */
static const struct {
        uint8_t prefix[12];
        size_t size, at;
} embeddings[] = {
        { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 12, 12 }, /* mapped */
        { { 0 }, 12, 12 }, /* compatible, given up long ago */
        { { 0x00, 0x64, 0xff, 0x9b }, 12, 12 }, /* NAT64 (RFC 6052) */
        { { 0x20, 0x02 }, 2, 2 }, /* 6to4 (RFC 3056) */
};

static bool has_prefix(const uint8_t *address, const uint8_t *prefix, unsigned bits) {
        unsigned bytes = bits / 8, rest = bits % 8;
        uint8_t mask = (uint8_t) (0xff00u >> rest);

        return memcmp(address, prefix, bytes) == 0 &&
                        (rest == 0 || ((address[bytes] ^ prefix[bytes]) & mask) == 0);
}

static const char *ipv4_kind(const uint8_t address[static 4]) {
        for (size_t i = 0; i < ELEMENTSOF(ipv4_kinds); i++)
                if (has_prefix(address, ipv4_kinds[i].address, ipv4_kinds[i].bits))
                        return ipv4_kinds[i].kind;
        return NULL;
}

const char *address_kind(const Address *address) {
        const uint8_t *bytes = address->bytes;

        for (size_t i = 0; i < ELEMENTSOF(ipv6_kinds); i++)
                if (has_prefix(bytes, ipv6_kinds[i].address, ipv6_kinds[i].bits))
                        return ipv6_kinds[i].kind;
        for (size_t i = 0; i < ELEMENTSOF(embeddings); i++)
                if (memcmp(bytes, embeddings[i].prefix, embeddings[i].size) == 0) {
                        const char *kind = ipv4_kind(bytes + embeddings[i].at);
                        if (kind)
                                return kind;
                }
        return NULL;
}

void allowed_ranges_done(AllowedRanges *a) {
        free(a->ranges);
        *a = (AllowedRanges){};
}

int allowed_ranges_add(AllowedRanges *a, const char *text) {
        AddressRange range, *ranges;
        int r = address_range_parse(text, &range);

        if (r < 0)
                return r;
        ranges = reallocarray(a->ranges, a->n + 1, sizeof(range));
        if (!ranges)
                return -ENOMEM;
        a->ranges = ranges;
        a->ranges[a->n++] = range;
        return 0;
}

static bool is_allowed(const AllowedRanges *a, const Address *address) {
        for (size_t i = 0; a && i < a->n; i++)
                if (address_range_contains(&a->ranges[i], address))
                        return true;
        return false;
}

const char *address_refuse(const struct sockaddr *sa, socklen_t size, void *allowed,
                char buffer[static HTTP_REFUSE_SIZE]) {
        char text[INET6_ADDRSTRLEN];
        const char *kind;
        Address address;
        const void *p;

        if (address_from_sockaddr(sa, size, &address) < 0)
                return "It is no address of IPv4 or IPv6, and nothing is delivered there";
        kind = address_kind(&address);
        if (!kind || is_allowed(allowed, &address))
                return NULL;
        p = sa->sa_family == AF_INET ? (const void *) &((const struct sockaddr_in *) sa)->sin_addr
                                     : (const void *) &((const struct sockaddr_in6 *) sa)->sin6_addr;
        (void) snprintf(buffer, HTTP_REFUSE_SIZE,
                        "%s is %s, to which nothing is delivered unless webhooks.allow_private lists it",
                        inet_ntop(sa->sa_family, p, text, sizeof(text)) ? text : "?", kind);
        return buffer;
}
