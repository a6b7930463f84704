/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <netinet/in.h>

#include "api/access/client-address.h"
#include "api/http/request-state.h"

static const struct sockaddr *find_address(Request *r) {
        const union MHD_ConnectionInfo *info;

        if (!r->connection)
                return NULL;
        info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        return info ? info->client_addr : NULL;
}

/* An IPv4 address, which may be mapped to IPv6. */
static const void *find_ipv4(const struct sockaddr *address) {
        const struct in6_addr *in6 = &((const struct sockaddr_in6 *) address)->sin6_addr;

        if (address->sa_family == AF_INET)
                return &((const struct sockaddr_in *) address)->sin_addr;
        return address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(in6) ? &in6->s6_addr[12] : NULL;
}

void client_address_prefix(const struct sockaddr *address, uint8_t ret[static 16]) {
        static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
        const void *ipv4 = address ? find_ipv4(address) : NULL;

        memset(ret, 0, 16);
        if (ipv4) {
                memcpy(ret, mapped, sizeof(mapped));
                memcpy(ret + 12, ipv4, 4);
        } else if (address && address->sa_family == AF_INET6)
                memcpy(ret, &((const struct sockaddr_in6 *) address)->sin6_addr, 8);
}

void client_address_read(Request *r, uint8_t ret[static 16]) {
        client_address_prefix(find_address(r), ret);
}

const char *client_address_text(Request *r, char buf[static INET6_ADDRSTRLEN]) {
        const struct sockaddr *address = find_address(r);
        const void *ipv4 = address ? find_ipv4(address) : NULL;

        if (ipv4)
                return inet_ntop(AF_INET, ipv4, buf, INET6_ADDRSTRLEN);
        if (address && address->sa_family == AF_INET6)
                return inet_ntop(AF_INET6, &((const struct sockaddr_in6 *) address)->sin6_addr, buf,
                                INET6_ADDRSTRLEN);
        return "";
}

bool client_address_is_local(Request *r) {
        const struct sockaddr *address = find_address(r);
        const void *ipv4 = address ? find_ipv4(address) : NULL;

        if (ipv4)
                return *(const uint8_t *) ipv4 == IN_LOOPBACKNET;
        return address && address->sa_family == AF_INET6 &&
                        IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *) address)->sin6_addr);
}
