/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/nbd-connect.h"

#include <poll.h>

#include "basic/string-util.h"

int nbd_errno_normalized(int error) {
        error = abs(error);
        switch (error) {
        case 0:
                return EIO;
        case ENOTCONN:
        case ESHUTDOWN:
        case EPIPE:
                return ECONNRESET;
        default:
                return error;
        }
}

/* Why libnbd gave up a connection. It leaves errno at 0 when the server breaks the protocol, and also when
 * the server hangs up in the middle of an answer, which only its text tells apart. */
static int why_broken(void) {
        if (nbd_get_errno() == 0)
                return strstr(strempty(nbd_get_error()), "disconnected") ? ECONNRESET : EPROTO;
        return nbd_errno_normalized(nbd_get_errno());
}

int nbd_handle_notify(struct nbd_handle *h, short revents) {
        unsigned direction = nbd_aio_get_direction(h);
        int r = 0;

        /* Reading first: an answer can make room that writing waits for. A hangup is found by reading. */
        if ((revents & (POLLIN | POLLHUP | POLLERR)) && (direction & LIBNBD_AIO_DIRECTION_READ))
                r = nbd_aio_notify_read(h);
        else if ((revents & (POLLOUT | POLLHUP | POLLERR)) && (direction & LIBNBD_AIO_DIRECTION_WRITE))
                r = nbd_aio_notify_write(h);
        else if (revents & (POLLERR | POLLNVAL))
                return -ECONNRESET;
        if (r < 0)
                return -why_broken();
        return 0;
}

int nbd_handle_poll(struct nbd_handle *h, int cancel_fd, usec_t timeout) {
        unsigned direction = nbd_aio_get_direction(h);
        struct pollfd fds[] = {
                { .fd = nbd_aio_get_fd(h),
                                .events = (short) ((direction & LIBNBD_AIO_DIRECTION_READ ? POLLIN : 0) |
                                                (direction & LIBNBD_AIO_DIRECTION_WRITE ? POLLOUT : 0)) },
                { .fd = cancel_fd, .events = POLLIN },
        };
        int n = poll(fds, ELEMENTSOF(fds), (int) MIN(timeout / USEC_PER_MSEC + 1, (usec_t) INT32_MAX));

        if (n < 0)
                return errno == EINTR ? 0 : -errno;
        if (cancel_fd >= 0 && fds[1].revents != 0)
                return -ECANCELED;
        if (n == 0)
                return -ETIMEDOUT;
        return nbd_handle_notify(h, fds[0].revents);
}

static int set_up(struct nbd_handle *h, const NbdOptions *o) {
        if (nbd_add_meta_context(h, LIBNBD_CONTEXT_BASE_ALLOCATION) < 0 ||
                        /* Buffers come cleared from calloc(), and what a server leaves out can only be what
                         * the same server sent before: no need to clear each again. */
                        nbd_set_pread_initialize(h, false) < 0 ||
                        nbd_set_uri_allow_local_file(h, false) < 0 ||
                        (o->tls_certificates && nbd_set_tls_certificates(h, o->tls_certificates) < 0) ||
                        (o->tls_psk_file && nbd_set_tls_psk_file(h, o->tls_psk_file) < 0))
                return -nbd_errno_normalized(nbd_get_errno());
        return 0;
}

static int negotiate(struct nbd_handle *h, const char *uri, usec_t deadline, int cancel_fd) {
        if ((uri[0] == '/' ? nbd_aio_connect_unix(h, uri) : nbd_aio_connect_uri(h, uri)) < 0)
                return -nbd_errno_normalized(nbd_get_errno());
        while (!nbd_aio_is_ready(h)) {
                usec_t now = now_monotonic();

                if (nbd_aio_is_dead(h) || nbd_aio_is_closed(h))
                        return -ECONNRESET;
                if (now >= deadline)
                        return -ETIMEDOUT;
                int r = nbd_handle_poll(h, cancel_fd, deadline - now);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* libnbd knows more than an errno ("server replied with error to opt_go request: No such export"). What it
 * says is left out if it quotes the URI, which may hold a user's name. */
static char *describe(int error, const NbdOptions *o, const char *uri) {
        const char *detail = nbd_get_error();

        if (error == -ETIMEDOUT || error == -ECANCELED || isempty(detail) || strstr(detail, uri))
                return strprintf("connecting to the NBD server of %s: %s", o->label, strerror(-error));
        return strprintf("connecting to the NBD server of %s: %s (%s)", o->label, strerror(-error), detail);
}

int nbd_handle_connect(const NbdOptions *o, const char *uri, usec_t timeout, struct nbd_handle **ret,
                char **ret_error) {
        _cleanup_(nbd_handle_freep) struct nbd_handle *h = nbd_create();

        if (!h)
                return -ENOMEM;
        int r = set_up(h, o);
        if (r >= 0)
                r = negotiate(h, uri, now_monotonic() + timeout, o->cancel_fd);
        if (r < 0) {
                *ret_error = describe(r, o, uri);
                return r;
        }
        *ret = TAKE_PTR(h);
        return 0;
}
