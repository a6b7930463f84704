/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <poll.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "image/content.h"

#define BUFFER ((size_t) 1024 * 1024)

void content_done(Content *c) {
        free(c->pieces);
        *c = (Content){};
}

int content_add(Content *c, int fd, uint64_t at, uint64_t offset, uint64_t length) {
        if (at < c->size || length > UINT64_MAX - at || length > UINT64_MAX - offset)
                return -EINVAL;
        if (length > 0) {
                if (!GREEDY_REALLOC(c->pieces, c->allocated, c->n_pieces + 1))
                        return -ENOMEM;
                c->pieces[c->n_pieces++] = (Piece){ .fd = fd, .at = at, .offset = offset, .length = length };
        }
        c->size = at + length;
        return 0;
}

int content_append(Content *c, const Content *other) {
        uint64_t start = c->size;

        if (other->size > UINT64_MAX - start)
                return -EINVAL;
        for (size_t i = 0; i < other->n_pieces; i++) {
                const Piece *p = &other->pieces[i];
                int r = content_add(c, p->fd, start + p->at, p->offset, p->length);
                if (r < 0)
                        return r;
        }
        c->size = start + other->size;
        return 0;
}

/* The first piece that ends behind @at. */
static size_t find_piece(const Content *c, uint64_t at) {
        size_t low = 0, high = c->n_pieces;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (c->pieces[middle].at + c->pieces[middle].length <= at)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

int content_pread(const Content *c, void *buf, size_t size, uint64_t at) {
        char *to = buf;

        if (at > c->size || size > c->size - at)
                return -EIO;
        for (size_t i = find_piece(c, at); size > 0;) {
                const Piece *p = i < c->n_pieces ? &c->pieces[i] : NULL;
                uint64_t zeroes = p && p->at <= at ? 0 : MIN((uint64_t) size, p ? p->at - at : UINT64_MAX);
                size_t n = (size_t) zeroes;

                if (zeroes > 0)
                        memset(to, 0, n);
                else {
                        n = (size_t) MIN((uint64_t) size, p->at + p->length - at);
                        int r = pread_full(p->fd, to, n, p->offset + (at - p->at));
                        if (r < 0)
                                return r;
                        i++; /* the piece is used up, or nothing is left to read */
                }
                to += n;
                at += n;
                size -= n;
        }
        return 0;
}

bool content_is_plain(const Content *c) {
        return c->n_pieces == 1 && c->pieces[0].at == 0 && c->pieces[0].length == c->size;
}

static bool is_readable(int fd) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        return fd >= 0 && poll(&p, 1, 0) > 0;
}

int content_copy(const Content *c, int fd, int cancel_fd, content_progress_func progress, void *userdata) {
        _cleanup_free_ void *buf = malloc(BUFFER);

        if (!buf)
                return -ENOMEM;
        if (ftruncate(fd, (off_t) c->size) < 0)
                return -errno;
        for (size_t i = 0; i < c->n_pieces; i++) {
                const Piece *p = &c->pieces[i];

                for (uint64_t done = 0; done < p->length;) {
                        size_t n = (size_t) MIN(p->length - done, (uint64_t) BUFFER);

                        if (is_readable(cancel_fd))
                                return -ECANCELED;
                        int r = pread_full(p->fd, buf, n, p->offset + done);
                        if (r >= 0)
                                r = pwrite_full(fd, buf, n, p->at + done);
                        if (r < 0)
                                return r;
                        done += n;
                        r = progress ? progress(userdata, p->at + done) : 0;
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}
