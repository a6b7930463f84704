/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Questions to the kernel's table of sockets, and its answers (sock_diag(7)): whose is the socket at the
 * other end of a connection on this machine? Nothing here talks to anybody. Answers are not trusted: a
 * length, a family, an address that is not the expected one makes -EBADMSG. */

#include "shared/address-range.h"

/* A TCP socket, by what it is connected to. Ports are in network byte order. */
typedef struct TcpPair {
        Address local, remote;
        uint16_t local_port, remote_port;
} TcpPair;

/* A UNIX socket: its inode and cookie. */
typedef struct UnixSocket {
        uint32_t inode;
        uint32_t cookie[2];
} UnixSocket;

#define SOCKET_DIAG_REQUEST_SIZE 128
#define SOCKET_DIAG_ANSWER_SIZE 8192

/* These write a question into @buf and return its size. @sequence comes back with the answer. */
size_t socket_diag_ask_tcp(const TcpPair *pair, uint32_t sequence, void *buf);
size_t socket_diag_ask_unix(const UnixSocket *socket, uint32_t sequence, void *buf);

/* The sequence number of an answer; -EBADMSG if it is too short to have one. */
int socket_diag_sequence(const void *answer, size_t size, uint32_t *ret);

/* The user of the socket that is exactly @pair. 0; -ENOENT if there is no such socket, or it is not (any
 * more) an established one that some process has open: the kernel says of a closed one that it belongs to
 * root; -EBADMSG; or the negative errno that the kernel answers with. */
int socket_diag_tcp_user(
                const void *answer, size_t size, uint32_t sequence, const TcpPair *pair, uid_t *ret);

/* What the kernel says of a UNIX socket: the inode of its peer (0: it has none) and its user. Otherwise as
 * above. */
typedef struct UnixAnswer {
        uint32_t peer;
        uid_t uid;
} UnixAnswer;
int socket_diag_unix(const void *answer, size_t size, uint32_t sequence, const UnixSocket *socket,
                UnixAnswer *ret);
