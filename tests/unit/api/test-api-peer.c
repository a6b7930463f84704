/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who is at the other end of a connection: the kernel's answers, those that no kernel should give, and real
 * sockets. */

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "api/access/peer.h"
#include "api/access/role-cache.h"
#include "api/access/socket-diag.h"
#include "basic/fd-util.h"
#include "unit/lib/test.h"

#define SEQUENCE 4711u

/* --- answers that are made up ---------------------------------------------------------------------- */

typedef struct TcpAnswer {
        struct nlmsghdr header;
        struct inet_diag_msg body;
} TcpAnswer;

static TcpPair tcp_pair(void) {
        TcpPair pair = { .local_port = htons(40000), .remote_port = htons(8080) };
        AddressRange range;

        ck_assert_int_eq(address_range_parse("127.0.0.1", &range), 0);
        pair.local = pair.remote = range.address;
        return pair;
}

static TcpAnswer tcp_answer(void) {
        const __be32 loopback = htonl(INADDR_LOOPBACK);

        return (TcpAnswer){
                .header = { .nlmsg_len = sizeof(TcpAnswer),
                                .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                                .nlmsg_seq = SEQUENCE },
                .body = { .idiag_family = AF_INET,
                                .idiag_state = TCP_ESTABLISHED,
                                .id = { .idiag_sport = htons(40000),
                                                .idiag_dport = htons(8080),
                                                .idiag_src = { loopback },
                                                .idiag_dst = { loopback } },
                                .idiag_uid = 1000,
                                .idiag_inode = 77 },
        };
}

static int judge(const TcpAnswer *a, size_t size) {
        const TcpPair pair = tcp_pair();
        uid_t uid = 12345;
        int r = socket_diag_tcp_user(a, size, SEQUENCE, &pair, &uid);

        ck_assert_uint_eq(uid, r < 0 ? 12345 : 1000);
        return r;
}

START_TEST(an_answer_about_this_connection_names_its_user) {
        TcpAnswer a = tcp_answer();

        ck_assert_int_eq(judge(&a, sizeof(a)), 0);
}
END_TEST

START_TEST(only_an_established_socket_that_is_open_has_a_user) {
        for (unsigned state = 0; state < 16; state++) {
                TcpAnswer a = tcp_answer();

                a.body.idiag_state = (uint8_t) state;
                ck_assert_int_eq(judge(&a, sizeof(a)), state == TCP_ESTABLISHED ? 0 : -ENOENT);
        }
        /* closed: the kernel says root */
        TcpAnswer a = tcp_answer();
        a.body.idiag_inode = 0;
        a.body.idiag_uid = 0;
        ck_assert_int_eq(judge(&a, sizeof(a)), -ENOENT);
        a = tcp_answer();
        a.body.idiag_uid = (uid_t) -1;
        ck_assert_int_eq(judge(&a, sizeof(a)), -ENOENT);
}
END_TEST

START_TEST(an_answer_about_another_connection_is_refused) {
        enum { CASES = 7 };

        for (int i = 0; i < CASES; i++) {
                TcpAnswer a = tcp_answer();

                switch (i) {
                case 0:
                        a.body.id.idiag_sport = htons(40001);
                        break;
                case 1:
                        a.body.id.idiag_dport = htons(8081);
                        break;
                case 2:
                        a.body.id.idiag_src[0] = htonl(INADDR_LOOPBACK + 1);
                        break;
                case 3:
                        a.body.id.idiag_dst[0] = htonl(INADDR_LOOPBACK + 1);
                        break;
                case 4:
                        a.body.idiag_family =
                                        AF_INET6; /* with an address of IPv4 in it that is not mapped */
                        break;
                case 5:
                        a.body.idiag_family = AF_UNIX;
                        break;
                default:
                        a.header.nlmsg_seq++;
                }
                ck_assert_msg(judge(&a, sizeof(a)) == -EBADMSG, "case %d", i);
        }
}
END_TEST

START_TEST(what_is_short_long_or_in_parts_is_refused) {
        TcpAnswer a = tcp_answer();
        char two[2 * sizeof(a)];

        for (size_t n = 0; n < sizeof(a); n++) {
                ck_assert_int_eq(judge(&a, n), -EBADMSG);
                a.header.nlmsg_len = (uint32_t) n;
                ck_assert_int_eq(judge(&a, sizeof(a)), -EBADMSG);
                a.header.nlmsg_len = sizeof(a);
        }
        a.header.nlmsg_len = UINT32_MAX;
        ck_assert_int_eq(judge(&a, sizeof(a)), -EBADMSG);
        a = tcp_answer();
        a.header.nlmsg_flags = NLM_F_MULTI;
        ck_assert_int_eq(judge(&a, sizeof(a)), -EBADMSG);
        a = tcp_answer();
        memcpy(two, &a, sizeof(a));
        memcpy(two + sizeof(a), &a, sizeof(a));
        ck_assert_int_eq(judge((const TcpAnswer *) (void *) two, sizeof(two)), -EBADMSG);
        a.header.nlmsg_type = NLMSG_DONE;
        ck_assert_int_eq(judge(&a, sizeof(a)), -EBADMSG);
}
END_TEST

START_TEST(an_error_is_the_kernels) {
        static const struct {
                int error, result;
        } cases[] = { { -ENOENT, -ENOENT }, { -EPERM, -EPERM }, { 0, -EBADMSG }, { 5, -EBADMSG },
                { INT32_MIN, -EBADMSG } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct {
                        struct nlmsghdr header;
                        struct nlmsgerr error;
                } a = { .header = { .nlmsg_len = sizeof(a),
                                        .nlmsg_type = NLMSG_ERROR,
                                        .nlmsg_seq = SEQUENCE },
                        .error.error = cases[i].error };

                ck_assert_int_eq(judge((const TcpAnswer *) (void *) &a, sizeof(a)), cases[i].result);
                a.header.nlmsg_len = sizeof(a.header) + 2;
                ck_assert_int_eq(judge((const TcpAnswer *) (void *) &a, sizeof(a.header) + 2), -EBADMSG);
        }
}
END_TEST

typedef struct UnixMessage {
        struct nlmsghdr header;
        struct unix_diag_msg body;
        struct {
                struct nlattr header;
                uint32_t value;
        } attributes[2];
} UnixMessage;

static UnixMessage unix_message(void) {
        return (UnixMessage){
                .header = { .nlmsg_len = sizeof(UnixMessage),
                                .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                                .nlmsg_seq = SEQUENCE },
                .body = { .udiag_family = AF_UNIX,
                                .udiag_type = SOCK_STREAM,
                                .udiag_state = TCP_ESTABLISHED,
                                .udiag_ino = 42 },
                .attributes = { { { 8, UNIX_DIAG_PEER }, 43 }, { { 8, UNIX_DIAG_UID }, 1000 } },
        };
}

START_TEST(a_unix_socket_has_a_peer_and_a_user) {
        const UnixSocket s = { .inode = 42 }, other = { .inode = 41 };
        UnixMessage m = unix_message();
        UnixAnswer a = {};

        ck_assert_int_eq(socket_diag_unix(&m, sizeof(m), SEQUENCE, &s, &a), 0);
        ck_assert_uint_eq(a.peer, 43);
        ck_assert_uint_eq(a.uid, 1000);
        ck_assert_int_eq(socket_diag_unix(&m, sizeof(m), SEQUENCE, &other, &a), -EBADMSG);
        ck_assert_int_eq(socket_diag_unix(&m, sizeof(m), SEQUENCE + 1, &s, &a), -EBADMSG);
        for (size_t n = 0; n < sizeof(m); n++) {
                m.header.nlmsg_len = (uint32_t) n;
                int r = socket_diag_unix(&m, n, SEQUENCE, &s, &a);
                /* without the attributes the answer is whole, but says nothing */
                bool whole = n == sizeof(m.header) + sizeof(m.body) ||
                                n == sizeof(m) - sizeof(m.attributes[1]);
                ck_assert_int_eq(r, whole ? -ENOENT : -EBADMSG);
        }
}
END_TEST

START_TEST(attributes_of_a_unix_socket_are_checked) {
        const UnixSocket s = { .inode = 42 };
        UnixAnswer a = {};

        for (unsigned length = 0; length < 20; length++) {
                UnixMessage m = unix_message();

                m.attributes[1].header.nla_len = (uint16_t) length;
                ck_assert_int_eq(socket_diag_unix(&m, sizeof(m), SEQUENCE, &s, &a),
                                length == 8 ? 0 : -EBADMSG);
        }
        UnixMessage m = unix_message();
        m.attributes[0].header.nla_type = UNIX_DIAG_UID; /* two users */
        ck_assert_int_eq(socket_diag_unix(&m, sizeof(m), SEQUENCE, &s, &a), -EBADMSG);
        m = unix_message();
        m.body.udiag_state = TCP_LISTEN;
        ck_assert_int_eq(socket_diag_unix(&m, sizeof(m), SEQUENCE, &s, &a), -ENOENT);
        m = unix_message();
        m.attributes[1].value = UINT32_MAX;
        ck_assert_int_eq(socket_diag_unix(&m, sizeof(m), SEQUENCE, &s, &a), -ENOENT);
}
END_TEST

/* --- real sockets ---------------------------------------------------------------------------------- */

static int diag_socket(void) {
        int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

        ck_assert_int_ge(fd, 0);
        ck_assert(peer_socket_is_valid(fd));
        return fd;
}

typedef union Where {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
} Where;

static void listen_at(Where *where, socklen_t size, int *ret) {
        int fd = socket(where->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), off = 0;

        ck_assert_int_ge(fd, 0);
        if (where->sa.sa_family == AF_INET6)
                ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)), 0);
        ck_assert_int_eq(bind(fd, &where->sa, size), 0);
        ck_assert_int_eq(listen(fd, 8), 0);
        ck_assert_int_eq(getsockname(fd, &where->sa, &size), 0);
        *ret = fd;
}

static int connect_to(const Where *where, socklen_t size) {
        int fd = socket(where->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(connect(fd, &where->sa, size), 0);
        return fd;
}

/* Connects, and has the other end looked at: with the client open, and after it has closed. */
static void check_user(int listener, const Where *where, socklen_t size) {
        _cleanup_close_ int diag = diag_socket();
        PeerFinder finder = { .fd = diag }, blind = { .fd = -EBADF };
        uid_t uid = 12345;
        int client = connect_to(where, size), server = accept(listener, NULL, NULL);

        ck_assert_int_ge(server, 0);
        ck_assert_int_eq(peer_find_user(&finder, server, &uid), 0);
        ck_assert_uint_eq(uid, geteuid());
        if (where->sa.sa_family != AF_UNIX)
                ck_assert_int_lt(peer_find_user(&blind, server, &uid), 0);
        close(client);
        close(server);
        if (where->sa.sa_family == AF_UNIX)
                return;
        /* closed at once, before anybody looks */
        close(connect_to(where, size));
        server = accept(listener, NULL, NULL);
        ck_assert_int_ge(server, 0);
        uid = 12345;
        ck_assert_int_lt(peer_find_user(&finder, server, &uid), 0);
        ck_assert_uint_eq(uid, 12345);
        close(server);
}

START_TEST(ipv4_clients_are_found) {
        Where where = { .in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
        _cleanup_close_ int fd = -EBADF;

        listen_at(&where, sizeof(where.in), &fd);
        check_user(fd, &where, sizeof(where.in));
}
END_TEST

START_TEST(ipv6_clients_are_found) {
        Where where = { .in6 = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback } };
        _cleanup_close_ int fd = -EBADF;

        listen_at(&where, sizeof(where.in6), &fd);
        check_user(fd, &where, sizeof(where.in6));
}
END_TEST

/* A listener of IPv6 that takes IPv4 too; clients with a socket of either kind. */
START_TEST(mapped_clients_are_found) {
        Where where = { .in6 = { .sin6_family = AF_INET6 } }, ipv4 = { .in = { .sin_family = AF_INET } };
        _cleanup_close_ int fd = -EBADF;

        listen_at(&where, sizeof(where.in6), &fd);
        ck_assert_int_eq(inet_pton(AF_INET6, "::ffff:127.0.0.1", &where.in6.sin6_addr), 1);
        check_user(fd, &where, sizeof(where.in6));
        ipv4.in.sin_port = where.in6.sin6_port;
        ipv4.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        check_user(fd, &ipv4, sizeof(ipv4.in));
}
END_TEST

START_TEST(unix_clients_are_found) {
        _cleanup_test_dir_ char *dir = test_dir();
        Where where = { .un.sun_family = AF_UNIX };
        _cleanup_close_ int fd = -EBADF;

        (void) snprintf(where.un.sun_path, sizeof(where.un.sun_path), "%s/s", dir);
        listen_at(&where, sizeof(where.un), &fd);
        check_user(fd, &where, sizeof(where.un));
}
END_TEST

/* What another daemon before us has asked and not read. */
START_TEST(answers_to_other_questions_are_passed_over) {
        Where where = { .in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
        _cleanup_close_ int fd = -EBADF, diag = diag_socket();
        char question[SOCKET_DIAG_REQUEST_SIZE];
        PeerFinder finder = { .fd = diag };
        const TcpPair pair = tcp_pair();
        uid_t uid;

        listen_at(&where, sizeof(where.in), &fd);
        for (uint32_t i = 1; i <= 20; i++) {
                size_t n = socket_diag_ask_tcp(&pair, i, question);
                ck_assert_int_eq(send(diag, question, n, 0), (ssize_t) n);
        }
        int client = connect_to(&where, sizeof(where.in)), server = accept(fd, NULL, NULL);
        ck_assert_int_eq(peer_find_user(&finder, server, &uid), 0);
        ck_assert_uint_eq(uid, geteuid());
        close(client);
        close(server);
}
END_TEST

START_TEST(other_sockets_are_not_taken_for_the_kernels) {
        _cleanup_close_ int a = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                            b = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

        ck_assert(!peer_socket_is_valid(a));
        ck_assert(!peer_socket_is_valid(b));
        ck_assert(!peer_socket_is_valid(-1));
}
END_TEST

/* --- roles ----------------------------------------------------------------------------------------- */

static Role given = ROLE_VIEWER;
static int failure;
static unsigned asked;

static int role_of(uid_t uid, Role *ret) {
        asked++;
        *ret = given;
        return failure;
}

START_TEST(roles_are_read_again_when_they_are_old) {
        _cleanup_(role_cache_freep) RoleCache *c = NULL;
        usec_t now = 1000 * USEC_PER_SEC;

        ck_assert_int_eq(role_cache_new(role_of, &c), 0);
        ck_assert_int_eq(role_cache_get(c, 1000, now), ROLE_VIEWER);
        given = ROLE_ADMIN;
        ck_assert_int_eq(role_cache_get(c, 1000, now + ROLE_CACHE_TIME - 1), ROLE_VIEWER);
        ck_assert_uint_eq(asked, 1);
        ck_assert_int_eq(role_cache_get(c, 1256, now), ROLE_ADMIN); /* in the same place */
        ck_assert_int_eq(role_cache_get(c, 1000, now + 1), ROLE_ADMIN);
        given = ROLE_NONE;
        ck_assert_int_eq(role_cache_get(c, 1000, now + 1 + ROLE_CACHE_TIME), ROLE_NONE);
        given = ROLE_ADMIN;
        failure = -EIO;
        now += USEC_PER_HOUR;
        ck_assert_int_eq(role_cache_get(c, 1000, now), ROLE_NONE);
        ck_assert_int_eq(role_cache_get(c, 1000, now), ROLE_NONE);
        ck_assert_uint_eq(asked, 5);
}
END_TEST

TEST_MAIN("api-peer", an_answer_about_this_connection_names_its_user,
                only_an_established_socket_that_is_open_has_a_user,
                an_answer_about_another_connection_is_refused, what_is_short_long_or_in_parts_is_refused,
                an_error_is_the_kernels, a_unix_socket_has_a_peer_and_a_user,
                attributes_of_a_unix_socket_are_checked, ipv4_clients_are_found, ipv6_clients_are_found,
                mapped_clients_are_found, unix_clients_are_found, answers_to_other_questions_are_passed_over,
                other_sockets_are_not_taken_for_the_kernels, roles_are_read_again_when_they_are_old)
