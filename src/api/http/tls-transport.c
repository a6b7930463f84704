/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/http/tls-transport.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

static ssize_t moved(TlsTransport *t, ssize_t n) {
        if (n < 0)
                gnutls_transport_set_errno(t->session, errno);
        else
                *t->moved += (uint64_t) n;
        return n;
}

static ssize_t pull(gnutls_transport_ptr_t userdata, void *buf, size_t size) {
        TlsTransport *t = userdata;
        ssize_t n;

        if (t->kept > TLS_KEPT_MAX) {
                gnutls_transport_set_errno(t->session, ECONNRESET);
                return -1;
        }
        n = moved(t, recv(t->fd, buf, size, 0));
        if (n > 0 && !t->upgraded)
                t->kept += (size_t) n;
        if (n > 0 && !t->began) {
                t->began = t->in_handshake = true;
                (*t->handshakes)++;
        }
        return n;
}

static ssize_t push(gnutls_transport_ptr_t userdata, const void *data, size_t size) {
        TlsTransport *t = userdata;

        return moved(t, send(t->fd, data, size, MSG_NOSIGNAL));
}

static int wait_to_pull(gnutls_transport_ptr_t userdata, unsigned timeout_msec) {
        const TlsTransport *t = userdata;
        struct pollfd p = { .fd = t->fd, .events = POLLIN };

        return poll(&p, 1, timeout_msec == GNUTLS_INDEFINITE_TIMEOUT ? -1 : (int) timeout_msec);
}

void tls_transport_done(TlsTransport *t) {
        if (t->in_handshake)
                (*t->handshakes)--;
        t->in_handshake = false;
}

bool tls_transport_in_handshake(TlsTransport *t) {
        char *description = t->in_handshake ? gnutls_session_get_desc(t->session) : NULL;

        if (description) /* there is none before the end of the handshake */
                tls_transport_done(t);
        gnutls_free(description);
        return t->in_handshake;
}

void tls_transport_init(
                TlsTransport *t, gnutls_session_t session, int fd, uint64_t *count, unsigned *handshakes) {
        *t = (TlsTransport){ .session = session, .fd = fd, .moved = count, .handshakes = handshakes };
        gnutls_transport_set_ptr(session, t);
        gnutls_transport_set_pull_function(session, pull);
        gnutls_transport_set_push_function(session, push);
        gnutls_transport_set_pull_timeout_function(session, wait_to_pull);
}
