/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who is at the other end of a connection on this machine. */

#include <sys/types.h>

#include "basic/macro.h"

/* A socket of NETLINK_SOCK_DIAG in the network namespace of the listeners, on which the kernel is asked.
 * systemd hands it to the daemon (hyper-peers.socket), which has a network namespace of its own. */
typedef struct PeerFinder {
        int fd; /* negative: there is none */
        uint32_t sequence; /* of the last question */
} PeerFinder;

/* True for such a socket. */
bool peer_socket_is_valid(int fd);

/* The user who made the socket at the other end of @fd, which was just accepted from a listener of this
 * machine's. Ask before anything is read: a client that has closed its socket has no user any more. Never
 * waits. 0, or negative errno: the peer cannot be resolved, and has no identity.
 *
 * TCP: the kernel is asked for exactly this connection. UNIX: SO_PEERCRED, but a daemon in a user namespace
 * (PrivateUsers=) gets there the overflow user for everybody but root and itself; then the kernel is asked
 * too. */
int peer_find_user(PeerFinder *f, int fd, uid_t *ret);
