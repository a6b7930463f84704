/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <unistd.h>
#include <zlib.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "basic/zero.h"
#include "image/gunzip.h"

#define BUFFER ((size_t) 256 * 1024)
#define GZIP_WINDOW (15 + 16) /* inflateInit2(): a gzip header, and nothing else */

typedef struct Gunzip {
        int fd;
        uint64_t at, left;
        z_stream z;
        unsigned char in[BUFFER], out[BUFFER];
} Gunzip;

#define gunzip_error(ret, ...)                   \
        ({                                       \
                *(ret) = strprintf(__VA_ARGS__); \
                *(ret) ? -EBADMSG : -ENOMEM;     \
        })

/* By the descriptor's own position: whoever started us sees in it how far we are. */
static int fill(Gunzip *g) {
        ssize_t n;

        if (lseek(g->fd, (off_t) g->at, SEEK_SET) < 0)
                return -errno;
        n = read(g->fd, g->in, (size_t) MIN((uint64_t) BUFFER, g->left));
        if (n <= 0)
                return n < 0 ? -errno : -EIO;
        g->at += (uint64_t) n;
        g->left -= (uint64_t) n;
        g->z.next_in = g->in;
        g->z.avail_in = (unsigned) n;
        return 0;
}

/* Behind a member: another one, nothing, or the zeroes that tapes and block devices end with. */
static int next_member(Gunzip *g, bool *ret_end) {
        if (g->z.avail_in == 0 && g->left > 0) {
                int r = fill(g);
                if (r < 0)
                        return r;
        }
        *ret_end = g->z.avail_in == 0 || g->z.next_in[0] == 0;
        if (!*ret_end)
                return inflateReset(&g->z) == Z_OK ? 0 : -ENOMEM;
        for (;;) {
                if (!memory_is_zero((char *) g->z.next_in, g->z.avail_in))
                        return -EBADMSG;
                g->z.avail_in = 0;
                if (g->left == 0)
                        return 0;
                int r = fill(g);
                if (r < 0)
                        return r;
        }
}

static int inflate_all(Gunzip *g, SparseWriter *w, char **ret_error) {
        for (bool end = false; !end;) {
                if (g->z.avail_in == 0 && g->left > 0) {
                        int r = fill(g);
                        if (r < 0)
                                return r;
                }
                g->z.next_out = g->out;
                g->z.avail_out = BUFFER;
                int k = inflate(&g->z, Z_NO_FLUSH);
                if (k == Z_BUF_ERROR && g->z.avail_in == 0 && g->left == 0)
                        return gunzip_error(ret_error, "it is cut off: its end is missing");
                if (k != Z_OK && k != Z_STREAM_END && k != Z_BUF_ERROR)
                        return gunzip_error(ret_error, "it is damaged: %s",
                                        g->z.msg ? g->z.msg : "no gzip data");
                int r = sparse_write(w, g->out, BUFFER - g->z.avail_out, w->size);
                if (r >= 0 && k == Z_STREAM_END)
                        r = next_member(g, &end);
                if (r == -EBADMSG)
                        return gunzip_error(ret_error, "something else follows behind its end");
                if (r < 0)
                        return r;
        }
        return 0;
}

int gunzip(int in, uint64_t offset, uint64_t length, SparseWriter *w, char **ret_error) {
        _cleanup_free_ Gunzip *g = new0(Gunzip, 1);

        if (!g)
                return -ENOMEM;
        g->fd = in;
        g->at = offset;
        g->left = length;
        if (inflateInit2(&g->z, GZIP_WINDOW) != Z_OK)
                return -ENOMEM;
        int r = inflate_all(g, w, ret_error);
        (void) inflateEnd(&g->z);
        return r;
}
