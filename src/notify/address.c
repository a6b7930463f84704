/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "notify/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

static bool ipv4_is_refused(const uint8_t a[static 4]) {
        return a[0] == 169 && a[1] == 254;
}

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

static bool ipv6_is_refused(const uint8_t a[static 16]) {
        if (a[0] == 0xfe && (a[1] & 0xc0) == 0x80)
                return true;
        for (size_t i = 0; i < ELEMENTSOF(embeddings); i++)
                if (memcmp(a, embeddings[i].prefix, embeddings[i].size) == 0 &&
                                ipv4_is_refused(a + embeddings[i].at))
                        return true;
        return false;
}

bool address_is_refused(const struct sockaddr *address, socklen_t size) {
        if (address->sa_family == AF_INET && size >= sizeof(struct sockaddr_in))
                return ipv4_is_refused((const uint8_t *) &((const struct sockaddr_in *) address)->sin_addr);
        if (address->sa_family == AF_INET6 && size >= sizeof(struct sockaddr_in6))
                return ipv6_is_refused(((const struct sockaddr_in6 *) address)->sin6_addr.s6_addr);
        return true;
}

const char *address_refuse(
                const struct sockaddr *address, socklen_t size, char buffer[static HTTP_REFUSE_SIZE]) {
        char text[INET6_ADDRSTRLEN];
        const void *p = NULL;

        if (!address_is_refused(address, size))
                return NULL;
        if (address->sa_family == AF_INET && size >= sizeof(struct sockaddr_in))
                p = &((const struct sockaddr_in *) address)->sin_addr;
        else if (address->sa_family == AF_INET6 && size >= sizeof(struct sockaddr_in6))
                p = &((const struct sockaddr_in6 *) address)->sin6_addr;
        (void) snprintf(buffer, HTTP_REFUSE_SIZE,
                        "%s is a link-local address, to which nothing is delivered",
                        p && inet_ntop(address->sa_family, p, text, sizeof(text)) ? text : "?");
        return buffer;
}
