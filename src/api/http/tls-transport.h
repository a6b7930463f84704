/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The socket below a TLS session. GnuTLS keeps what has come of a handshake message until it is complete, up
 * to 16 MiB, of clients that nobody knows yet; here it ends earlier. What is read and written is counted,
 * since libmicrohttpd wants to be called again and again while a client has sent a part of a handshake. */

#include <gnutls/gnutls.h>

#include "basic/macro.h"

typedef struct TlsTransport {
        gnutls_session_t session;
        int fd;
        uint64_t *moved; /* bytes */
        size_t kept; /* what came and has not become a part of a request; the owner sets it to 0 */
        bool upgraded; /* there are no more requests: the owner sets it */
        bool began; /* something has come */
        unsigned *handshakes; /* one of which is this one, if it is one */
        bool in_handshake;
} TlsTransport;

/* @t, *@moved and *@handshakes, which counts those that have begun a handshake, must live as long as @session
 * reads and writes. @fd does not block. */
void tls_transport_init(
                TlsTransport *t, gnutls_session_t session, int fd, uint64_t *moved, unsigned *handshakes);

/* Whether the handshake has begun and not ended. It is counted until this finds that it has ended. */
bool tls_transport_in_handshake(TlsTransport *t);
/* The connection has ended. */
void tls_transport_done(TlsTransport *t);

/* More than a handshake, and than libmicrohttpd reads at once. */
#define TLS_KEPT_MAX ((size_t) 128 * 1024)
