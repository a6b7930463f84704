/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A request to an NBD server: it may have several parts on the wire, and is told of once, when all are back.
 *
 * libnbd calls completions with its handle locked, so nothing in them may use that handle: what has to be
 * sent after an answer waits on a list until dispatch. */

#include "engine/nbd-request.h"
#include "basic/string-util.h"

NbdRequest *nbd_request_new(
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

NbdRequest *nbd_request_free(NbdRequest *q) {
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
        if (q->open || q->waiting || q->parts > 0)
                return q->error;
        /* libnbd is content with an answer that leaves something out, and the buffer then holds what was
         * read before. */
        if (q->is_read && q->error == 0 && q->seen != q->length)
                q->error = -EPROTO;
        int error = q->error;
        if (error < 0 && !(q->extents_done && error == -EOPNOTSUPP))
                (void) request_fail(q, error);
        if (q->extents_done)
                q->extents_done(q->userdata, q->extents, q->n_extents, error);
        else
                q->done(q->userdata, error);
        nbd_request_free(q);
        return error;
}

int nbd_on_part(void *userdata, int *error) {
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

struct nbd_handle *nbd_pick(NbdEndpoint *n) {
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

void nbd_part_sent(NbdRequest *q, struct nbd_handle *h, int64_t cookie) {
        if (cookie >= 0)
                return;
        int error = nbd_aio_is_dead(h) || nbd_aio_is_closed(h) ? ECONNRESET : nbd_get_errno();
        q->parts--;
        if (q->error == 0)
                q->error = -nbd_errno_normalized(error);
}

int nbd_request_close(NbdRequest *q) {
        q->open = false;
        (void) request_settle(q);
        return 0;
}

void nbd_settle_lost(NbdEndpoint *n) {
        for (NbdRequest *q; (q = TAILQ_FIRST(&n->lost));) {
                TAILQ_REMOVE(&n->lost, q, todo);
                q->waiting = false;
                if (n->cause < 0)
                        q->error = n->cause;
                request_settle(q);
        }
}
