/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is asked of an NBD server: extents, reads, writes, zeroes, flushes. What it answers is not believed:
 * libnbd checks the protocol, and here extents are checked for progress and bounds. */

#include "engine/nbd-io.h"
#include "basic/string-util.h"
#include "basic/zero.h"

#define EXTENTS_MAX 65536 /* of one answer; the rest is asked for again */
#define HOLE_BLOCK 65536 /* zeroes in data that are worth a hole of their own */
#define ZERO_WRITE (1024 * 1024) /* of zeroes that have to be written, at a time */

/* --- extents and reading --------------------------------------------------------------------------- */

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
        return nbd_on_part(q, error);
}

int nbd_op_extents(Endpoint *e, uint64_t offset, uint64_t length, EndpointExtentsDone done, void *userdata) {
        NbdEndpoint *n = NBD(e);

        if (!n->can_extents) {
                done(userdata, NULL, 0, -EOPNOTSUPP);
                return 0;
        }
        NbdRequest *q = nbd_request_new(e, "asking for the extents of the", offset, length, userdata);
        if (!q)
                return -ENOMEM;
        q->extents_done = done;
        q->parts++;
        struct nbd_handle *h = nbd_pick(n);
        nbd_part_sent(q, h,
                        nbd_aio_block_status(h, length, offset,
                                        (nbd_extent_callback){ .callback = on_extents, .user_data = q },
                                        NBD_COMPLETION(on_extents_done, q), 0));
        return nbd_request_close(q);
}

/* Data or a hole has arrived in the buffer. */
static int on_read_chunk(void *userdata, const void *data, size_t count, uint64_t offset, unsigned status,
                int *error) {
        NbdRequest *q = userdata;

        if (status != LIBNBD_READ_ERROR)
                q->seen += count;
        return 0;
}

int nbd_op_read(Endpoint *e, void *buf, size_t length, uint64_t offset, EndpointDone done, void *userdata) {
        NbdRequest *q = nbd_request_new(e, "reading", offset, length, userdata);

        if (!q)
                return -ENOMEM;
        q->done = done;
        q->is_read = true;
        for (size_t i = 0, n; i < length && q->error == 0; i += n) {
                struct nbd_handle *h = nbd_pick(NBD(e));

                n = MIN(length - i, NBD(e)->maximum);
                q->parts++;
                nbd_part_sent(q, h,
                                nbd_aio_pread_structured(h, (char *) buf + i, n, offset + i,
                                                (nbd_chunk_callback){
                                                                .callback = on_read_chunk, .user_data = q },
                                                NBD_COMPLETION(nbd_on_part, q), 0));
        }
        e->bytes_read += length;
        return nbd_request_close(q);
}

/* --- writing --------------------------------------------------------------------------------------- */

/* As many commands as the server's limit makes of it. */
static void write_data(
                NbdRequest *q, struct nbd_handle *h, const char *data, size_t length, uint64_t offset) {
        for (size_t i = 0, n; i < length && q->error == 0; i += n) {
                n = MIN(length - i, q->owner->maximum);
                q->parts++;
                nbd_part_sent(q, h,
                                nbd_aio_pwrite(h, data + i, n, offset + i, NBD_COMPLETION(nbd_on_part, q),
                                                0));
        }
}

/* Parts of a write: runs of data, and runs of zeroes unless the disk is zero there anyway. */
int nbd_op_write(Endpoint *e, const void *buf, size_t length, uint64_t offset, EndpointDone done,
                void *userdata) {
        NbdEndpoint *n = NBD(e);
        NbdRequest *q = nbd_request_new(e, "writing", offset, length, userdata);
        struct nbd_handle *h = nbd_pick(n);
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
                        if (zero && n->can_zero) {
                                q->parts++;
                                nbd_part_sent(q, h,
                                                nbd_aio_zero(h, k - i, offset + i,
                                                                NBD_COMPLETION(nbd_on_part, q), 0));
                        } else
                                write_data(q, h, p + i, k - i, offset + i);
                        e->bytes_written += zero ? 0 : k - i;
                }
                i = k;
        }
        return nbd_request_close(q);
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
        return nbd_on_part(q, error);
}

void nbd_write_zeroes(NbdRequest *q) {
        NbdEndpoint *n = q->owner;
        size_t length = MIN(q->length - q->zeroed, MIN((uint64_t) ZERO_WRITE, (uint64_t) n->maximum));
        uint64_t offset = q->offset + q->zeroed;

        q->open = true;
        if (!n->zeroes)
                n->zeroes = new0(char, ZERO_WRITE);
        if (n->zeroes) {
                struct nbd_handle *h = nbd_pick(n);
                q->zeroed += length;
                q->parts++;
                nbd_part_sent(q, h,
                                nbd_aio_pwrite(h, n->zeroes, length, offset, NBD_COMPLETION(on_zero_part, q),
                                                0));
        } else
                q->error = -ENOMEM;
        (void) nbd_request_close(q);
}

int nbd_op_zero(Endpoint *e, uint64_t offset, uint64_t length, EndpointDone done, void *userdata) {
        NbdEndpoint *n = NBD(e);

        if (n->known_zero) {
                done(userdata, 0);
                return 0;
        }
        if (length > UINT32_MAX)
                return -EINVAL;
        NbdRequest *q = nbd_request_new(e, "zeroing", offset, length, userdata);
        if (!q)
                return -ENOMEM;
        q->done = done;
        if (!n->can_zero) {
                q->fallback = true;
                nbd_write_zeroes(q);
                return 0;
        }
        struct nbd_handle *h = nbd_pick(n);
        q->parts++;
        nbd_part_sent(q, h, nbd_aio_zero(h, length, offset, NBD_COMPLETION(on_zero_part, q), 0));
        return nbd_request_close(q);
}

/* A server with several connections promises that a flush on one is for all (NBD_FLAG_CAN_MULTI_CONN). */
int nbd_op_flush(Endpoint *e, EndpointDone done, void *userdata) {
        NbdEndpoint *n = NBD(e);

        if (!n->can_flush) {
                done(userdata, 0);
                return 0;
        }
        NbdRequest *q = nbd_request_new(e, "flushing", 0, 0, userdata);
        if (!q)
                return -ENOMEM;
        q->done = done;
        q->parts++;
        struct nbd_handle *h = nbd_pick(n);
        nbd_part_sent(q, h, nbd_aio_flush(h, NBD_COMPLETION(nbd_on_part, q), 0));
        return nbd_request_close(q);
}
