/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>

#include "api/http/origin.h"
#include "basic/string-util.h"

#define HOST_MAX 255

static bool port_is_valid(const char *port) {
        size_t n = strspn(port, "0123456789");

        return n <= 5 && !port[n];
}

/* The host without port and brackets, lower case untouched. */
static int split_host(const char *host, char name[static HOST_MAX + 1], bool *ret_bracketed) {
        bool bracketed = host[0] == '[';
        const char *begin = host + bracketed, *end = begin + strcspn(begin, bracketed ? "]" : ":");
        size_t n = (size_t) (end - begin);

        if (n == 0 || n > HOST_MAX)
                return -EINVAL;
        if (bracketed && *end++ != ']')
                return -EINVAL;
        if (*end && (*end != ':' || !port_is_valid(end + 1)))
                return -EINVAL;

        memcpy(name, begin, n);
        name[n] = '\0';
        *ret_bracketed = bracketed;
        return 0;
}

/* "localhost" and all names below it, of length @n; never looked up in the DNS (RFC 6761, 6.3). */
static bool name_is_localhost(const char *name, size_t n) {
        static const char suffix[] = ".localhost";

        return strcasecmp(name, "localhost") == 0 ||
                        (n >= sizeof(suffix) && strcasecmp(name + n - strlen(suffix), suffix) == 0);
}

bool host_is_local(const char *host, const char *hostname) {
        char name[HOST_MAX + 1];
        struct in6_addr address;
        bool bracketed;
        size_t n;

        if (split_host(host, name, &bracketed) < 0)
                return false;
        if (bracketed)
                return inet_pton(AF_INET6, name, &address) == 1;

        n = strlen(name);
        if (name[n - 1] == '.') /* "localhost.": the same name, written in full */
                name[--n] = '\0';
        if (name_is_localhost(name, n) || inet_pton(AF_INET, name, &address) == 1)
                return true;
        return hostname && strcasecmp(name, hostname) == 0;
}

bool origin_is_same(const char *origin, const char *host) {
        /* A proxy that speaks TLS passes on the name, and not the scheme. */
        static const char *const schemes[] = { "http://", "https://" };

        for (size_t i = 0; host && i < ELEMENTSOF(schemes); i++) {
                size_t n = strlen(schemes[i]);

                if (strncasecmp(origin, schemes[i], n) == 0 && strcasecmp(origin + n, host) == 0)
                        return true;
        }
        return false;
}

bool origin_is_loopback(const char *origin) {
        static const char *const schemes[] = { "http://", "https://" };
        char name[HOST_MAX + 1];
        struct in_addr in;
        struct in6_addr in6;
        bool bracketed;

        for (size_t i = 0; i < ELEMENTSOF(schemes); i++) {
                if (strncasecmp(origin, schemes[i], strlen(schemes[i])) != 0)
                        continue;
                if (split_host(origin + strlen(schemes[i]), name, &bracketed) < 0)
                        return false;
                if (bracketed)
                        return inet_pton(AF_INET6, name, &in6) == 1 && IN6_IS_ADDR_LOOPBACK(&in6);
                if (inet_pton(AF_INET, name, &in) == 1)
                        return ntohl(in.s_addr) >> 24 == 127;
                return name_is_localhost(name, strlen(name));
        }
        return false;
}

bool address_is_local(const struct sockaddr *address, socklen_t length) {
        switch (address->sa_family) {
        case AF_UNIX:
                return true;
        case AF_INET: {
                const struct sockaddr_in *in = (const struct sockaddr_in *) address;

                return length >= sizeof(*in) && ntohl(in->sin_addr.s_addr) >> 24 == 127;
        }
        case AF_INET6: {
                const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *) address;

                return length >= sizeof(*in6) &&
                                (IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) ||
                                                (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) &&
                                                                in6->sin6_addr.s6_addr[12] == 127));
        }
        default:
                return false;
        }
}
