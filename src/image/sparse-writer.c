/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/zero.h"
#include "image/sparse-writer.h"

#define GRANULE ((size_t) 4096)

int sparse_write(SparseWriter *w, const void *data, size_t size, uint64_t at) {
        const char *p = data;

        if (at < w->size)
                return -EBADMSG;
        if (at > w->max || size > w->max - at)
                return -EFBIG;
        for (size_t done = 0; done < size;) {
                /* Holes begin and end where the file system's blocks do. */
                size_t n = MIN(size - done, GRANULE - (size_t) ((at + done) % GRANULE)), run = n;
                bool zero = memory_is_zero(p + done, n);

                while (done + run < size) {
                        n = MIN(size - done - run, GRANULE);
                        if (memory_is_zero(p + done + run, n) != zero)
                                break;
                        run += n;
                }
                int r = zero ? 0 : pwrite_full(w->fd, p + done, run, at + done);
                if (r < 0)
                        return r;
                done += run;
        }
        w->size = at + size;
        return 0;
}

int sparse_finish(const SparseWriter *w) {
        return ftruncate(w->fd, (off_t) w->size) < 0 ? -errno : 0;
}
