/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An NBD server, or several for the same disk, through libnbd(3): connecting, and waiting for answers. A
 * request (nbd-request.c, nbd-io.c) goes to the connection with the fewest in flight, so a slow server gets
 * less to do. */

#include "engine/endpoint-nbd.h"
#include "basic/string-util.h"
#include "engine/nbd-io.h"

#define TIMEOUT_DEFAULT (30 * USEC_PER_SEC)
#define TIMEOUT_EXTRA (5 * USEC_PER_SEC) /* for connections that are nice to have */
#define NETWORK_CONNECTIONS 4
#define LOCAL_REQUEST ((size_t) 256 * 1024)
#define LOCAL_IN_FLIGHT 16
#define NETWORK_REQUEST ((size_t) 512 * 1024)
#define NETWORK_IN_FLIGHT 32
#define PREFERRED_REQUEST_MAX ((size_t) 4 * 1024 * 1024) /* of those in flight, all are in memory */
#define COMMAND_MAX ((size_t) 32 * 1024 * 1024) /* what every server must take that names no limit */

/* --- polling --------------------------------------------------------------------------------------- */

/* Idle connections are left out: a server that hangs up when nothing is wanted of it any more does no
 * harm. */
static size_t nbd_op_wait(Endpoint *e, struct pollfd *fds, size_t max) {
        NbdEndpoint *n = NBD(e);
        size_t k = 0;

        for (size_t i = 0; i < n->n_connections && k < max; i++) {
                struct nbd_handle *h = n->connections[i];

                if (nbd_aio_in_flight(h) <= 0)
                        continue;
                unsigned direction = nbd_aio_get_direction(h);
                fds[k] = (struct pollfd){
                        .fd = nbd_aio_get_fd(h),
                        .events = (short) ((direction & LIBNBD_AIO_DIRECTION_READ ? POLLIN : 0) |
                                        (direction & LIBNBD_AIO_DIRECTION_WRITE ? POLLOUT : 0)),
                };
                n->polled[k++] = i;
        }
        return k;
}

static int nbd_op_dispatch(Endpoint *e, const struct pollfd *fds, size_t n_fds) {
        NbdEndpoint *n = NBD(e);
        int r = 0;

        for (size_t k = 0; k < n_fds && r >= 0; k++)
                if (fds[k].revents != 0)
                        r = nbd_handle_notify(n->connections[n->polled[k]], fds[k].revents);
        if (r < 0 && n->cause == 0) {
                n->cause = r;
                n->detail = strdup(strempty(nbd_get_error()));
        }
        nbd_settle_lost(n);
        if (r < 0)
                return endpoint_fail(e, r, "talking to the NBD server of %s", e->label);
        for (NbdRequest *q; (q = TAILQ_FIRST(&n->todo));) {
                TAILQ_REMOVE(&n->todo, q, todo);
                q->waiting = false;
                nbd_write_zeroes(q);
        }
        return 0;
}

static void nbd_op_stop(Endpoint *e) {
        NbdEndpoint *n = NBD(e);

        while (n->n_connections > 0)
                nbd_close(n->connections[--n->n_connections]); /* forgets commands without calling back */
        TAILQ_INIT(&n->todo);
        TAILQ_INIT(&n->lost);
        for (NbdRequest *q; (q = TAILQ_FIRST(&n->all));)
                nbd_request_free(q);
}

static void nbd_op_free(Endpoint *e) {
        NbdEndpoint *n = NBD(e);

        nbd_op_stop(e);
        free(n->detail);
        free(n->zeroes);
        free(n);
}

static const EndpointOps nbd_source_ops = {
        .name = "nbd",
        .free = nbd_op_free,
        .stop = nbd_op_stop,
        .extents = nbd_op_extents,
        .read = nbd_op_read,
        .wait = nbd_op_wait,
        .dispatch = nbd_op_dispatch,
};

static const EndpointOps nbd_destination_ops = {
        .name = "nbd",
        .free = nbd_op_free,
        .stop = nbd_op_stop,
        .extents = nbd_op_extents,
        .read = nbd_op_read,
        .write = nbd_op_write,
        .zero = nbd_op_zero,
        .flush = nbd_op_flush,
        .wait = nbd_op_wait,
        .dispatch = nbd_op_dispatch,
};

/* --- connecting ------------------------------------------------------------------------------------ */

static int add_connection(
                NbdEndpoint *n, const NbdOptions *o, const char *uri, usec_t timeout, char **ret_error) {
        _cleanup_(nbd_handle_freep) struct nbd_handle *h = NULL;

        if (n->n_connections == NBD_CONNECTIONS_MAX)
                return -E2BIG;
        int r = nbd_handle_connect(o, uri, timeout, &h, ret_error);
        if (r < 0)
                return r;

        int64_t size = nbd_get_size(h);
        if (size < 0 || (n->n_connections > 0 && (uint64_t) size != n->endpoint.size)) {
                *ret_error = size < 0
                                ? strprintf("the NBD server of %s reports an invalid size", o->label)
                                : strprintf("the NBD servers of %s do not serve the same disk: one has "
                                            "%" PRIu64 " bytes, another %" PRIi64,
                                                  o->label, n->endpoint.size, size);
                return -EPROTO;
        }
        if ((o->flags & NBD_DESTINATION) && nbd_is_read_only(h) != 0) {
                *ret_error = strprintf("the NBD server of %s allows no writing", o->label);
                return -EROFS;
        }
        n->endpoint.size = (uint64_t) size;
        n->connections[n->n_connections++] = TAKE_PTR(h);
        return 0;
}

static bool uri_is_local(const char *uri) {
        return uri[0] == '/' || startswith(uri, "nbd+unix:") || startswith(uri, "nbds+unix:");
}

/* How many connections to make to a server that we have one to. More than one only pays where a round trip
 * takes time, and is only safe where the server says so. */
static unsigned connections_wanted(const NbdOptions *o, const char *uri, struct nbd_handle *first) {
        if (nbd_can_multi_conn(first) <= 0)
                return 1;
        if (o->connections > 0)
                return o->connections;
        return uri_is_local(uri) ? 1 : NETWORK_CONNECTIONS;
}

static int connect_all(NbdEndpoint *n, const NbdOptions *o, char **ret_error) {
        usec_t timeout = o->timeout > 0 ? o->timeout : TIMEOUT_DEFAULT;
        int r;

        STRV_FOREACH(uri, o->uris) {
                r = add_connection(n, o, *uri, timeout, ret_error);
                if (r < 0)
                        return r;
                unsigned wanted = connections_wanted(o, *uri, n->connections[n->n_connections - 1]);
                for (unsigned i = 1; i < wanted; i++) {
                        _cleanup_free_ char *ignored = NULL;
                        r = add_connection(n, o, *uri, MIN(timeout, TIMEOUT_EXTRA), &ignored);
                        if (r == -ECANCELED)
                                return r;
                        if (r < 0) /* some servers take one client at a time, whatever they say */
                                break;
                }
        }
        return 0;
}

static void take_capabilities(NbdEndpoint *n, const NbdOptions *o) {
        struct nbd_handle *h = n->connections[0];
        int64_t maximum = nbd_get_block_size(h, LIBNBD_SIZE_MAXIMUM);
        int64_t preferred = nbd_get_block_size(h, LIBNBD_SIZE_PREFERRED);
        int64_t minimum = nbd_get_block_size(h, LIBNBD_SIZE_MINIMUM);
        bool local = uri_is_local(o->uris[0]);

        n->can_extents = true;
        for (size_t i = 0; i < n->n_connections; i++)
                if (nbd_can_meta_context(n->connections[i], LIBNBD_CONTEXT_BASE_ALLOCATION) <= 0)
                        n->can_extents = false;
        n->can_zero = nbd_can_zero(h) > 0;
        n->can_flush = nbd_can_flush(h) > 0;
        n->known_zero = o->flags & NBD_KNOWN_ZERO;
        /* Measured: between processes on one machine, requests that stay in the cache are best; over a
         * network, what is in flight must fill the line, at the expense of 16 MiB of memory. */
        n->endpoint.preferred = local ? LOCAL_REQUEST : NETWORK_REQUEST;
        if (preferred > 0)
                n->endpoint.preferred =
                                MAX(n->endpoint.preferred, MIN((size_t) preferred, PREFERRED_REQUEST_MAX));
        /* What is longer is sent in several commands. */
        n->maximum = maximum > 0 ? MIN((size_t) maximum, COMMAND_MAX) : COMMAND_MAX;
        n->endpoint.preferred = CLAMP(n->maximum, (size_t) 65536, n->endpoint.preferred);
        n->endpoint.alignment = minimum > 1 ? (size_t) minimum : 1;
        n->endpoint.in_flight_max = local ? LOCAL_IN_FLIGHT : NETWORK_IN_FLIGHT;
}

int endpoint_nbd_new(const NbdOptions *o, Endpoint **ret, char **ret_error) {
        _cleanup_free_ char *error = NULL;
        NbdEndpoint *n = new0(NbdEndpoint, 1);
        _cleanup_endpoint_ Endpoint *e = n ? &n->endpoint : NULL;

        if (!n)
                return -ENOMEM;
        TAILQ_INIT(&n->all);
        TAILQ_INIT(&n->todo);
        TAILQ_INIT(&n->lost);
        e->ops = (o->flags & NBD_DESTINATION) ? &nbd_destination_ops : &nbd_source_ops;
        e->label = strdup(o->label);
        if (!e->label)
                return -ENOMEM;
        if (strv_length(o->uris) == 0 || ((o->flags & NBD_DESTINATION) && strv_length(o->uris) > 1))
                return -EINVAL;

        int r = connect_all(n, o, &error);
        if (r < 0) {
                *ret_error = TAKE_PTR(error);
                return r;
        }
        take_capabilities(n, o);
        *ret = TAKE_PTR(e);
        return 0;
}
