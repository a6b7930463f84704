/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/access/peer.h"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "api/access/socket-diag.h"
#include "basic/time-util.h"

/* Answers to earlier questions, which nobody has read: those of a daemon that was killed. */
#define STALE_MAX 64u
/* What users that a user namespace does not map look like (/proc/sys/kernel/overflowuid). */
#define UID_OVERFLOW ((uid_t) 65534)

typedef union SocketAddress {
        struct sockaddr sa;
        struct sockaddr_storage storage;
} SocketAddress;

bool peer_socket_is_valid(int fd) {
        int domain = 0, protocol = -1;
        socklen_t size = sizeof(int);

        return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) >= 0 && domain == AF_NETLINK &&
                        getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) >= 0 &&
                        protocol == NETLINK_SOCK_DIAG;
}

/* Only the kernel's answers are read. It answers while we ask, so there is nothing to wait for. */
static int receive(int fd, void *buf, size_t size, size_t *ret) {
        struct sockaddr_nl from = {};
        struct iovec io = { .iov_base = buf, .iov_len = size };
        struct msghdr m = {
                .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &io, .msg_iovlen = 1
        };
        ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);

        if (n < 0)
                return -errno;
        if (m.msg_namelen != sizeof(from) || from.nl_family != AF_NETLINK || from.nl_pid != 0 ||
                        m.msg_flags & MSG_TRUNC)
                return -EBADMSG;
        *ret = (size_t) n;
        return 0;
}

static int ask(PeerFinder *f, const void *question, size_t size, void *answer, size_t *ret_size) {
        const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
        int r = -ENODATA;

        if (sendto(f->fd, question, size, MSG_DONTWAIT, (const struct sockaddr *) &kernel, sizeof(kernel)) <
                        0)
                return -errno;
        for (unsigned i = 0; i < STALE_MAX; i++) {
                uint32_t sequence;

                r = receive(f->fd, answer, SOCKET_DIAG_ANSWER_SIZE, ret_size);
                if (r == -EAGAIN)
                        return -ENODATA;
                if (r >= 0)
                        r = socket_diag_sequence(answer, *ret_size, &sequence);
                if (r < 0 || sequence == f->sequence)
                        return r;
        }
        return r < 0 ? r : -ENODATA;
}

/* Not one that an earlier daemon may have used: a question of its own could still be unanswered. */
static uint32_t next_sequence(PeerFinder *f) {
        if (f->sequence == 0)
                f->sequence = (uint32_t) now_monotonic();
        return ++f->sequence ? f->sequence : ++f->sequence;
}

static uint16_t port_of(const SocketAddress *a) {
        return a->sa.sa_family == AF_INET ? ((const struct sockaddr_in *) a)->sin_port
                                          : ((const struct sockaddr_in6 *) a)->sin6_port;
}

/* The connection as the other end sees it. */
static int read_pair(int fd, TcpPair *ret) {
        SocketAddress ours = {}, theirs = {};
        socklen_t n_ours = sizeof(ours), n_theirs = sizeof(theirs);
        TcpPair pair = {};
        int r;

        if (getsockname(fd, &ours.sa, &n_ours) < 0 || getpeername(fd, &theirs.sa, &n_theirs) < 0)
                return -errno;
        r = address_from_sockaddr(&theirs.sa, n_theirs, &pair.local);
        if (r >= 0)
                r = address_from_sockaddr(&ours.sa, n_ours, &pair.remote);
        if (r < 0)
                return r;
        pair.local_port = port_of(&theirs);
        pair.remote_port = port_of(&ours);
        *ret = pair;
        return 0;
}

static int find_tcp(PeerFinder *f, int fd, uid_t *ret) {
        char question[SOCKET_DIAG_REQUEST_SIZE], answer[SOCKET_DIAG_ANSWER_SIZE];
        TcpPair pair;
        size_t n;
        int r = f->fd < 0 ? -ENOTCONN : read_pair(fd, &pair);

        if (r >= 0)
                r = ask(f, question, socket_diag_ask_tcp(&pair, next_sequence(f), question), answer, &n);
        return r < 0 ? r : socket_diag_tcp_user(answer, n, f->sequence, &pair, ret);
}

static int ask_unix(PeerFinder *f, const UnixSocket *socket, UnixAnswer *ret) {
        char question[SOCKET_DIAG_REQUEST_SIZE], answer[SOCKET_DIAG_ANSWER_SIZE];
        size_t n;
        int r = ask(f, question, socket_diag_ask_unix(socket, next_sequence(f), question), answer, &n);

        return r < 0 ? r : socket_diag_unix(answer, n, f->sequence, socket, ret);
}

static int read_cookie(int fd, UnixSocket *ret) {
        socklen_t size = sizeof(uint64_t);
        uint64_t cookie;
        struct stat st;

        if (fstat(fd, &st) < 0 || getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) < 0)
                return -errno;
        *ret = (UnixSocket){ .inode = (uint32_t) st.st_ino,
                .cookie = { (uint32_t) cookie, (uint32_t) (cookie >> 32) } };
        return 0;
}

/* From our end to the other one, which must be connected to ours still after it was looked at: its number
 * may have become another socket's in between. */
static int find_unix(PeerFinder *f, int fd, uid_t *ret) {
        UnixSocket ours, theirs = { .cookie = { UINT32_MAX, UINT32_MAX } };
        UnixAnswer here, there;
        int r;

        if (f->fd < 0)
                return -ENOTCONN;
        r = read_cookie(fd, &ours);
        if (r >= 0)
                r = ask_unix(f, &ours, &here);
        if (r < 0)
                return r;
        if (here.peer == 0)
                return -ENOENT;
        theirs.inode = here.peer;
        r = ask_unix(f, &theirs, &there);
        if (r < 0)
                return r;
        if (there.peer != ours.inode)
                return -ENOENT;
        *ret = there.uid;
        return 0;
}

static int find_by_credentials(int fd, uid_t *ret) {
        struct ucred c = {};
        socklen_t size = sizeof(c);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &size) < 0)
                return -errno;
        if (size != sizeof(c) || c.uid == (uid_t) -1)
                return -ENODATA;
        *ret = c.uid;
        return 0;
}

int peer_find_user(PeerFinder *f, int fd, uid_t *ret) {
        socklen_t size = sizeof(int);
        int domain, r;

        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0)
                return -errno;
        if (domain != AF_UNIX)
                return find_tcp(f, fd, ret);
        r = find_by_credentials(fd, ret);
        return r >= 0 && *ret == UID_OVERFLOW ? find_unix(f, fd, ret) : r;
}
