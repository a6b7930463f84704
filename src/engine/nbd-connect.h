/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libnbd.h>

#include "engine/nbd-options.h"

static inline struct nbd_handle *nbd_handle_free(struct nbd_handle *h) {
        nbd_close(h);
        return NULL;
}
DEFINE_CLEANUP_FUNC(struct nbd_handle *, nbd_handle_free);

/* Makes one connection to @uri (an NBD URI, or the path of a unix socket) and negotiates, within
 * @options->timeout or until @options->cancel_fd is readable. On error a negative errno and a text that the
 * caller frees. */
int nbd_handle_connect(const NbdOptions *options, const char *uri, usec_t timeout, struct nbd_handle **ret,
                char **ret_error);

/* Polls the connection once, at most @timeout, and lets libnbd do what is possible. 0, -ETIMEDOUT,
 * -ECANCELED, or -errno when the connection broke. */
int nbd_handle_poll(struct nbd_handle *h, int cancel_fd, usec_t timeout);

/* Tells libnbd what poll() found. 0 or negative errno when the connection broke. */
int nbd_handle_notify(struct nbd_handle *h, short revents);

/* libnbd's last error in this thread as an errno: a lost connection is always ECONNRESET. Positive. */
int nbd_errno_normalized(int error);
