/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/writeback.h"

#include <fcntl.h>

void writeback_init(Writeback *w) {
        *w = (Writeback){ .fd = -EBADF };
        pthread_mutex_init(&w->lock, NULL);
}

void writeback_done(Writeback *w) {
        pthread_mutex_destroy(&w->lock);
}

void writeback_start(Writeback *w, int fd, uint64_t from) {
        w->fd = fd;
        w->complete = w->begun = from;
}

static bool is_unsupported(int error) {
        return error == ENOSYS || error == EPERM || error == EINVAL || error == ESPIPE ||
                        error == EOPNOTSUPP;
}

static int hand_over(Writeback *w, uint64_t from, uint64_t to, unsigned flags) {
        int r = 0;

        if (from >= to)
                return 0;
        pthread_mutex_lock(&w->lock);
        if (sync_file_range(w->fd, (off_t) from, (off_t) (to - from), flags) < 0) {
                w->off = is_unsupported(errno);
                r = w->off ? 0 : -errno;
        }
        if (w->error == 0)
                w->error = r;
        pthread_mutex_unlock(&w->lock);
        return r;
}

/* Waits until the disk has the oldest step. */
static int wait_for_first(Writeback *w) {
        uint64_t end = w->ends[w->first];
        int r = hand_over(w, w->complete, end,
                        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);

        w->complete = MAX(w->complete, end);
        w->first = (w->first + 1) % WRITEBACK_STEPS;
        w->n--;
        return r;
}

int writeback_written(Writeback *w, uint64_t end, uint64_t length) {
        if (w->off)
                return 0;
        w->pending += length;
        if (w->pending < WRITEBACK_STEP || end <= w->begun)
                return 0;
        int r = hand_over(w, w->begun, end, SYNC_FILE_RANGE_WRITE);
        if (r >= 0 && w->n == WRITEBACK_STEPS)
                r = wait_for_first(w);
        if (r < 0)
                return r;
        w->ends[(w->first + w->n++) % WRITEBACK_STEPS] = end;
        w->begun = end;
        w->pending = 0;
        return 0;
}

int writeback_error(Writeback *w) {
        pthread_mutex_lock(&w->lock);
        int r = w->error;
        pthread_mutex_unlock(&w->lock);
        return r;
}
