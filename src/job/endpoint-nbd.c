/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An NBD server, or several for the same disk, through libnbd(3). A request goes to the connection with the
 * fewest in flight, so a slow server gets less to do. What a server says is not believed: libnbd checks the
 * protocol, and here extents are checked for progress and bounds.
 *
 * libnbd calls completions with its handle locked, so nothing in them may use that handle: what has to be
 * sent after an answer waits on a list until dispatch. */

#include <sys/queue.h>

#include "basic/string-util.h"
#include "job/endpoint.h"
#include "job/nbd-connect.h"
#include "job/zero.h"

#define TIMEOUT_DEFAULT (30 * USEC_PER_SEC)
#define TIMEOUT_EXTRA (5 * USEC_PER_SEC) /* for connections that are nice to have */
#define CONNECTIONS_MAX 32
#define NETWORK_CONNECTIONS 4
#define EXTENTS_MAX 65536 /* of one answer; the rest is asked for again */
#define HOLE_BLOCK 65536 /* zeroes in data that are worth a hole of their own */
#define ZERO_WRITE (1024 * 1024) /* of zeroes that have to be written, at a time */
#define LOCAL_REQUEST ((size_t) 256 * 1024)
#define LOCAL_IN_FLIGHT 16
#define NETWORK_REQUEST ((size_t) 512 * 1024)
#define NETWORK_IN_FLIGHT 32

typedef struct NbdEndpoint NbdEndpoint;

typedef struct NbdRequest {
        NbdEndpoint *owner;
        const char *verb; /* for the message: "reading" */
        uint64_t offset, length;
        EndpointDone done;
        EndpointExtentsDone extents_done;
        void *userdata;

        unsigned parts; /* on the wire */
        bool open; /* parts are being sent right now */
        bool waiting; /* on the todo or the lost list */
        int error;

        uint64_t zeroed; /* a zero that is written: how far it got */
        bool fallback; /* the server cannot zero, so write zeroes */

        uint64_t seen; /* bytes that a read's answer has held so far */
        Extent *extents; /* the answer */
        size_t n_extents;

        TAILQ_ENTRY(NbdRequest) all;
        TAILQ_ENTRY(NbdRequest) todo; /* waits for dispatch to send more, or to say why it was lost */
} NbdRequest;

struct NbdEndpoint {
        Endpoint endpoint;
        struct nbd_handle *connections[CONNECTIONS_MAX];
        size_t n_connections, next;
        size_t polled[ENDPOINT_FDS_MAX]; /* which connections wait() spoke of, in its order */
        bool can_extents, can_zero, can_flush, known_zero;
        char *zeroes; /* ZERO_WRITE of them, once needed */
        TAILQ_HEAD(, NbdRequest) all;
        TAILQ_HEAD(, NbdRequest) todo;
        TAILQ_HEAD(, NbdRequest) lost; /* their connection broke */
        int cause; /* why, negative errno; 0: not known, the server hung up */
        char *detail; /* and what libnbd said when it was the server's fault */
};

static NbdEndpoint *NBD(Endpoint *e) {
        return CONTAINER_OF(e, NbdEndpoint, endpoint);
}

/* --- requests ----------------------------------------------------------------------------------------- */

static NbdRequest *request_new(
                Endpoint *e, const char *verb, uint64_t offset, uint64_t length, void *userdata) {
        NbdRequest *q = new0(NbdRequest, 1);

        if (!q)
                return NULL;
        q->owner = NBD(e);
        q->verb = verb;
        q->offset = offset;
        q->length = length;
        q->userdata = userdata;
        q->open = true;
        TAILQ_INSERT_TAIL(&q->owner->all, q, all);
        return q;
}

static NbdRequest *request_free(NbdRequest *q) {
        if (!q)
                return NULL;
        TAILQ_REMOVE(&q->owner->all, q, all);
        free(q->extents);
        free(q);
        return NULL;
}

static int request_fail(NbdRequest *q, int error) {
        Endpoint *e = &q->owner->endpoint;
        _cleanup_free_ char *detail = NULL, *range = NULL;

        if (error == -EPROTO && q->owner->detail)
                detail = strprintf(" (%s)", q->owner->detail);
        if (q->length > 0)
                range = strprintf(" %" PRIu64 " bytes at %" PRIu64 " of", q->length, q->offset);
        return endpoint_fail(e, error, "%s%s %s%s", q->verb, strempty(range), e->label, strempty(detail));
}

/* Tells the caller, if all parts are back. Returns the error. */
static int request_settle(NbdRequest *q) {
        int error = q->error;

        if (q->open || q->waiting || q->parts > 0)
                return error;
        if (error < 0 && !(q->extents_done && error == -EOPNOTSUPP))
                (void) request_fail(q, error);
        if (q->extents_done)
                q->extents_done(q->userdata, q->extents, q->n_extents, error);
        else
                q->done(q->userdata, error);
        request_free(q);
        return error;
}

/* A completion of libnbd's. Returning 1 retires the command. */
static int on_part(void *userdata, int *error) {
        NbdRequest *q = userdata;

        q->parts--;
        if (*error != 0 && q->error == 0)
                q->error = -nbd_errno_normalized(*error);
        if (q->error == -ECONNRESET && q->parts == 0 && !q->waiting) {
                q->waiting = true;
                TAILQ_INSERT_TAIL(&q->owner->lost, q, todo);
        }
        request_settle(q);
        return 1;
}

/* The same for zeroing and for writing zeroes in its place: more may have to be sent. */
static int on_zero_part(void *userdata, int *error) {
        NbdRequest *q = userdata;

        if (!q->fallback && (*error == EOPNOTSUPP || *error == ENOTSUP)) {
                q->owner->can_zero = false;
                q->fallback = true;
                *error = 0;
        }
        if (*error == 0 && q->fallback && q->zeroed < q->length) {
                q->waiting = true;
                TAILQ_INSERT_TAIL(&q->owner->todo, q, todo);
        }
        return on_part(q, error);
}

#define COMPLETION(f, q) ((nbd_completion_callback){ .callback = (f), .user_data = (q) })

/* The connection with the least to do, beginning behind the last one taken. */
static struct nbd_handle *pick(NbdEndpoint *n) {
        size_t best = n->next;
        int least = INT32_MAX;

        for (size_t i = 0; i < n->n_connections; i++) {
                size_t k = (n->next + i) % n->n_connections;
                int flying = nbd_aio_in_flight(n->connections[k]);
                if (flying >= 0 && flying < least) {
                        least = flying;
                        best = k;
                }
        }
        n->next = (best + 1) % n->n_connections;
        return n->connections[best];
}

/* After a call that gives a cookie or -1: counts the part, or takes the error. A completion may have come
 * already, therefore the part is counted before the call. */
static void part_sent(NbdRequest *q, struct nbd_handle *h, int64_t cookie) {
        if (cookie >= 0)
                return;
        int error = nbd_aio_is_dead(h) || nbd_aio_is_closed(h) ? ECONNRESET : nbd_get_errno();
        q->parts--;
        if (q->error == 0)
                q->error = -nbd_errno_normalized(error);
}

/* Everything has been sent. An error so far is told through the completion like any other. */
static int request_close(NbdRequest *q) {
        q->open = false;
        (void) request_settle(q);
        return 0;
}

/* --- extents and reading ------------------------------------------------------------------------------ */

/* The answer: pairs of length and flags. It may end before what was asked for, and the last extent may go
 * beyond it. */
static int on_extents(void *userdata, const char *context, uint64_t offset, uint32_t *entries,
                size_t n_entries, int *error) {
        NbdRequest *q = userdata;
        size_t n = MIN(n_entries / 2, (size_t) EXTENTS_MAX);
        uint64_t rest = q->length;

        if (!streq(context, LIBNBD_CONTEXT_BASE_ALLOCATION) || *error != 0)
                return 0;
        if (q->extents || offset != q->offset || n == 0) {
                *error = EPROTO;
                return -1;
        }
        q->extents = new0(Extent, n);
        if (!q->extents) {
                *error = ENOMEM;
                return -1;
        }
        for (size_t i = 0; i < n && rest > 0; i++) {
                Extent x = { .length = MIN(entries[2 * i], rest),
                        .zero = entries[2 * i + 1] & LIBNBD_STATE_ZERO };
                if (x.length == 0) {
                        *error = EPROTO;
                        return -1;
                }
                rest -= x.length;
                if (q->n_extents > 0 && q->extents[q->n_extents - 1].zero == x.zero)
                        q->extents[q->n_extents - 1].length += x.length;
                else
                        q->extents[q->n_extents++] = x;
        }
        return 0;
}

/* A server that fails to answer can still be read: all is data then. A lost connection is another matter. */
static int on_extents_done(void *userdata, int *error) {
        NbdRequest *q = userdata;
        int e = *error != 0 ? nbd_errno_normalized(*error) : 0;

        if (e == EINVAL || e == ENOTSUP || e == EOPNOTSUPP || e == EIO || e == EPERM)
                *error = EOPNOTSUPP;
        else if (e == 0 && q->n_extents == 0)
                *error = EPROTO;
        return on_part(q, error);
}

static int nbd_op_extents(
                Endpoint *e, uint64_t offset, uint64_t length, EndpointExtentsDone done, void *userdata) {
        NbdEndpoint *n = NBD(e);

        if (!n->can_extents) {
                done(userdata, NULL, 0, -EOPNOTSUPP);
                return 0;
        }
        NbdRequest *q = request_new(e, "asking for the extents of the", offset, length, userdata);
        if (!q)
                return -ENOMEM;
        q->extents_done = done;
        q->parts++;
        struct nbd_handle *h = pick(n);
        part_sent(q, h,
                        nbd_aio_block_status(h, length, offset,
                                        (nbd_extent_callback){ .callback = on_extents, .user_data = q },
                                        COMPLETION(on_extents_done, q), 0));
        return request_close(q);
}

/* Data or a hole has arrived in the buffer. */
static int on_read_chunk(void *userdata, const void *data, size_t count, uint64_t offset, unsigned status,
                int *error) {
        NbdRequest *q = userdata;

        if (status != LIBNBD_READ_ERROR)
                q->seen += count;
        return 0;
}

/* libnbd is content with an answer that leaves something out, and the buffer then holds what was read
 * before. */
static int on_read_done(void *userdata, int *error) {
        NbdRequest *q = userdata;

        if (*error == 0 && q->seen != q->length)
                *error = EPROTO;
        return on_part(q, error);
}

static int nbd_op_read(
                Endpoint *e, void *buf, size_t length, uint64_t offset, EndpointDone done, void *userdata) {
        NbdRequest *q = request_new(e, "reading", offset, length, userdata);

        if (!q)
                return -ENOMEM;
        q->done = done;
        q->parts++;
        struct nbd_handle *h = pick(NBD(e));
        part_sent(q, h,
                        nbd_aio_pread_structured(h, buf, length, offset,
                                        (nbd_chunk_callback){ .callback = on_read_chunk, .user_data = q },
                                        COMPLETION(on_read_done, q), 0));
        e->bytes_read += length;
        return request_close(q);
}

/* --- writing ------------------------------------------------------------------------------------------ */

/* Parts of a write: runs of data, and runs of zeroes unless the disk is zero there anyway. */
static int nbd_op_write(Endpoint *e, const void *buf, size_t length, uint64_t offset, EndpointDone done,
                void *userdata) {
        NbdEndpoint *n = NBD(e);
        NbdRequest *q = request_new(e, "writing", offset, length, userdata);
        struct nbd_handle *h = pick(n);
        const char *p = buf;

        if (!q)
                return -ENOMEM;
        q->done = done;
        for (size_t i = 0; i < length && q->error == 0;) {
                bool zero = memory_is_zero(p + i, MIN((size_t) HOLE_BLOCK, length - i));
                size_t k = i;
                do
                        k += MIN((size_t) HOLE_BLOCK, length - k);
                while (k < length && memory_is_zero(p + k, MIN((size_t) HOLE_BLOCK, length - k)) == zero);

                if (!zero || !n->known_zero) {
                        q->parts++;
                        if (zero && n->can_zero)
                                part_sent(q, h,
                                                nbd_aio_zero(h, k - i, offset + i, COMPLETION(on_part, q),
                                                                0));
                        else
                                part_sent(q, h,
                                                nbd_aio_pwrite(h, p + i, k - i, offset + i,
                                                                COMPLETION(on_part, q), 0));
                        e->bytes_written += zero ? 0 : k - i;
                }
                i = k;
        }
        return request_close(q);
}

/* Sends the next piece of a zero that has to be written. */
static void write_zeroes(NbdRequest *q) {
        NbdEndpoint *n = q->owner;
        size_t length = MIN(q->length - q->zeroed, (uint64_t) ZERO_WRITE);
        uint64_t offset = q->offset + q->zeroed;

        q->open = true;
        if (!n->zeroes)
                n->zeroes = new0(char, ZERO_WRITE);
        if (n->zeroes) {
                struct nbd_handle *h = pick(n);
                q->zeroed += length;
                q->parts++;
                part_sent(q, h,
                                nbd_aio_pwrite(h, n->zeroes, length, offset, COMPLETION(on_zero_part, q),
                                                0));
        } else
                q->error = -ENOMEM;
        (void) request_close(q);
}

static int nbd_op_zero(Endpoint *e, uint64_t offset, uint64_t length, EndpointDone done, void *userdata) {
        NbdEndpoint *n = NBD(e);

        if (n->known_zero) {
                done(userdata, 0);
                return 0;
        }
        if (length > UINT32_MAX)
                return -EINVAL;
        NbdRequest *q = request_new(e, "zeroing", offset, length, userdata);
        if (!q)
                return -ENOMEM;
        q->done = done;
        if (!n->can_zero) {
                q->fallback = true;
                write_zeroes(q);
                return 0;
        }
        struct nbd_handle *h = pick(n);
        q->parts++;
        part_sent(q, h, nbd_aio_zero(h, length, offset, COMPLETION(on_zero_part, q), 0));
        return request_close(q);
}

/* A server with several connections promises that a flush on one is for all (NBD_FLAG_CAN_MULTI_CONN). */
static int nbd_op_flush(Endpoint *e, EndpointDone done, void *userdata) {
        NbdEndpoint *n = NBD(e);

        if (!n->can_flush) {
                done(userdata, 0);
                return 0;
        }
        NbdRequest *q = request_new(e, "flushing", 0, 0, userdata);
        if (!q)
                return -ENOMEM;
        q->done = done;
        q->parts++;
        struct nbd_handle *h = pick(n);
        part_sent(q, h, nbd_aio_flush(h, COMPLETION(on_part, q), 0));
        return request_close(q);
}

/* --- polling ------------------------------------------------------------------------------------------ */

/* Idle connections are left out: a server that hangs up when nothing is wanted of it any more does no harm. */
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

/* libnbd gives commands of a connection that broke one and the same errno; why it broke is only known here. */
static void settle_lost(NbdEndpoint *n) {
        for (NbdRequest *q; (q = TAILQ_FIRST(&n->lost));) {
                TAILQ_REMOVE(&n->lost, q, todo);
                q->waiting = false;
                if (n->cause < 0)
                        q->error = n->cause;
                request_settle(q);
        }
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
        settle_lost(n);
        if (r < 0)
                return endpoint_fail(e, r, "talking to the NBD server of %s", e->label);
        for (NbdRequest *q; (q = TAILQ_FIRST(&n->todo));) {
                TAILQ_REMOVE(&n->todo, q, todo);
                q->waiting = false;
                write_zeroes(q);
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
                request_free(q);
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

/* --- connecting --------------------------------------------------------------------------------------- */

static int add_connection(
                NbdEndpoint *n, const NbdOptions *o, const char *uri, usec_t timeout, char **ret_error) {
        _cleanup_(nbd_handle_freep) struct nbd_handle *h = NULL;

        if (n->n_connections == CONNECTIONS_MAX)
                return -E2BIG;
        int r = nbd_handle_connect(o, uri, timeout, &h, ret_error);
        if (r < 0)
                return r;

        int64_t size = nbd_get_size(h);
        if (size < 0 || (n->n_connections > 0 && (uint64_t) size != n->endpoint.size)) {
                *ret_error = size < 0
                                ? strprintf("the NBD server of %s says a size that makes no sense", o->label)
                                : strprintf("the NBD servers of %s do not serve the same disk: one has %" PRIu64
                                            " bytes, another %" PRIi64,
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
        if (maximum > 0)
                n->endpoint.preferred = CLAMP((size_t) maximum, (size_t) 65536, n->endpoint.preferred);
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
