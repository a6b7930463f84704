/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/access/socket-diag.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool is_ipv4(const Address *a) {
        return memcmp(a->bytes, mapped, sizeof(mapped)) == 0;
}

/* --- questions ------------------------------------------------------------------------------------- */

static size_t put_message(uint32_t sequence, const void *body, size_t size, void *buf) {
        const struct nlmsghdr header = {
                .nlmsg_len = (uint32_t) NLMSG_LENGTH(size),
                .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                .nlmsg_flags = NLM_F_REQUEST,
                .nlmsg_seq = sequence,
        };

        assert(NLMSG_LENGTH(size) <= SOCKET_DIAG_REQUEST_SIZE);
        memcpy(buf, &header, sizeof(header));
        memcpy((char *) buf + NLMSG_HDRLEN, body, size);
        return header.nlmsg_len;
}

static void put_address(const Address *a, bool ipv4, __be32 ret[static 4]) {
        if (ipv4)
                memcpy(ret, a->bytes + sizeof(mapped), 4);
        else
                memcpy(ret, a->bytes, sizeof(a->bytes));
}

size_t socket_diag_ask_tcp(const TcpPair *pair, uint32_t sequence, void *buf) {
        bool ipv4 = is_ipv4(&pair->local) && is_ipv4(&pair->remote);
        struct inet_diag_req_v2 request = {
                .sdiag_family = ipv4 ? AF_INET : AF_INET6,
                .sdiag_protocol = IPPROTO_TCP,
                .idiag_states = 1u << TCP_ESTABLISHED,
                .id.idiag_sport = pair->local_port,
                .id.idiag_dport = pair->remote_port,
                .id.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE },
        };

        put_address(&pair->local, ipv4, request.id.idiag_src);
        put_address(&pair->remote, ipv4, request.id.idiag_dst);
        return put_message(sequence, &request, sizeof(request), buf);
}

size_t socket_diag_ask_unix(const UnixSocket *socket, uint32_t sequence, void *buf) {
        const struct unix_diag_req request = {
                .sdiag_family = AF_UNIX,
                .udiag_states = UINT32_MAX,
                .udiag_ino = socket->inode,
                .udiag_show = UDIAG_SHOW_PEER | UDIAG_SHOW_UID,
                .udiag_cookie = { socket->cookie[0], socket->cookie[1] },
        };

        return put_message(sequence, &request, sizeof(request), buf);
}

/* --- answers --------------------------------------------------------------------------------------- */

static int read_header(const void *answer, size_t size, struct nlmsghdr *ret) {
        if (size < NLMSG_HDRLEN)
                return -EBADMSG;
        memcpy(ret, answer, sizeof(*ret));
        return ret->nlmsg_len < NLMSG_HDRLEN || ret->nlmsg_len > size ? -EBADMSG : 0;
}

int socket_diag_sequence(const void *answer, size_t size, uint32_t *ret) {
        struct nlmsghdr header;
        int r = read_header(answer, size, &header);

        if (r >= 0)
                *ret = header.nlmsg_seq;
        return r;
}

/* A question about one socket has one message as its answer: its body, of at least @least bytes, is copied
 * to @ret, and what follows is *ret_rest. */
static int read_body(const void *answer, size_t size, uint32_t sequence, size_t least, void *ret,
                const char **ret_rest, size_t *ret_n_rest) {
        const char *body = (const char *) answer + NLMSG_HDRLEN;
        struct nlmsgerr error;
        struct nlmsghdr header;
        int r = read_header(answer, size, &header);

        if (r < 0)
                return r;
        if (header.nlmsg_seq != sequence || header.nlmsg_flags & NLM_F_MULTI ||
                        NLMSG_ALIGN((size_t) header.nlmsg_len) < size)
                return -EBADMSG;
        size_t n = header.nlmsg_len - NLMSG_HDRLEN;
        if (header.nlmsg_type == NLMSG_ERROR) {
                if (n < sizeof(error))
                        return -EBADMSG;
                memcpy(&error, body, sizeof(error));
                return error.error < 0 && error.error > -4096 ? error.error : -EBADMSG;
        }
        if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || n < least)
                return -EBADMSG;
        memcpy(ret, body, least);
        *ret_rest = body + MIN(NLMSG_ALIGN(least), n);
        *ret_n_rest = n - MIN(NLMSG_ALIGN(least), n);
        return 0;
}

/* A client's socket of IPv6 that is connected to an IPv4 address has mapped addresses. */
static bool is_address(const __be32 bytes[static 4], int family, const Address *expected) {
        if (family == AF_INET)
                return is_ipv4(expected) && memcmp(bytes, expected->bytes + sizeof(mapped), 4) == 0;
        return family == AF_INET6 && memcmp(bytes, expected->bytes, sizeof(expected->bytes)) == 0;
}

int socket_diag_tcp_user(
                const void *answer, size_t size, uint32_t sequence, const TcpPair *pair, uid_t *ret) {
        struct inet_diag_msg m;
        const char *rest;
        size_t n;
        int r = read_body(answer, size, sequence, sizeof(m), &m, &rest, &n);

        if (r < 0)
                return r;
        /* What listens on the port is found too, if there is no connection. */
        if (m.idiag_state != TCP_ESTABLISHED || m.idiag_inode == 0)
                return -ENOENT;
        if (!is_address(m.id.idiag_src, m.idiag_family, &pair->local) ||
                        !is_address(m.id.idiag_dst, m.idiag_family, &pair->remote) ||
                        m.id.idiag_sport != pair->local_port || m.id.idiag_dport != pair->remote_port)
                return -EBADMSG;
        if (m.idiag_uid == (uid_t) -1)
                return -ENOENT;
        *ret = m.idiag_uid;
        return 0;
}

/* An attribute that is a number (netlink(7)); each may be there once. */
static int read_attributes(const char *p, size_t n, UnixAnswer *ret, bool *ret_has_uid) {
        bool has_uid = false, has_peer = false;

        while (n >= sizeof(struct nlattr)) {
                struct nlattr attribute;
                uint32_t value;

                memcpy(&attribute, p, sizeof(attribute));
                if (attribute.nla_len < NLA_HDRLEN || attribute.nla_len > n)
                        return -EBADMSG;
                if (attribute.nla_type == UNIX_DIAG_UID || attribute.nla_type == UNIX_DIAG_PEER) {
                        bool *has = attribute.nla_type == UNIX_DIAG_UID ? &has_uid : &has_peer;

                        if (*has || attribute.nla_len != NLA_HDRLEN + sizeof(value))
                                return -EBADMSG;
                        *has = true;
                        memcpy(&value, p + NLA_HDRLEN, sizeof(value));
                        *(attribute.nla_type == UNIX_DIAG_UID ? &ret->uid : &ret->peer) = value;
                }
                size_t step = MIN((size_t) NLA_ALIGN(attribute.nla_len), n);
                p += step;
                n -= step;
        }
        *ret_has_uid = has_uid;
        return n > 0 ? -EBADMSG : 0;
}

int socket_diag_unix(const void *answer, size_t size, uint32_t sequence, const UnixSocket *socket,
                UnixAnswer *ret) {
        UnixAnswer found = { .uid = (uid_t) -1 };
        struct unix_diag_msg m;
        const char *rest;
        bool has_uid;
        size_t n;
        int r = read_body(answer, size, sequence, sizeof(m), &m, &rest, &n);

        if (r < 0)
                return r;
        if (m.udiag_family != AF_UNIX || m.udiag_ino != socket->inode)
                return -EBADMSG;
        r = read_attributes(rest, n, &found, &has_uid);
        if (r < 0)
                return r;
        if (m.udiag_state != TCP_ESTABLISHED || m.udiag_type != SOCK_STREAM || !has_uid ||
                        found.uid == (uid_t) -1)
                return -ENOENT;
        *ret = found;
        return 0;
}
