/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A raw file. What lies behind the watermark is cut off when it is opened, so everything that is not written
 * is a hole, and zeroes never have to be. */

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "basic/zero.h"
#include "engine/endpoint-raw.h"
#include "engine/file-range.h"
#include "engine/pool.h"
#include "engine/writeback.h"

/* What a hole is worth: less makes files that file systems dislike, more misses what a guest trimmed. */
#define HOLE_BLOCK ((size_t) 4096)

/* One writes; the other one is there so that a flush does not hold up writing. */
#define THREADS 2

typedef struct RawEndpoint {
        Endpoint endpoint;
        int fd;
        Pool *pool;
        Writeback writeback; /* the writer's */
        FileCopier copier; /* the writer's */
        TAILQ_HEAD(, RawTask) tasks;
} RawEndpoint;

typedef struct RawTask {
        PoolTask task;
        RawEndpoint *owner;
        const char *buf;
        FileRange from; /* in its place */
        int *source_error;
        size_t length;
        uint64_t offset;
        size_t written; /* without the holes */
        EndpointDone done;
        void *userdata;
        TAILQ_ENTRY(RawTask) entry;
} RawTask;

static RawEndpoint *RAW(Endpoint *e) {
        return CONTAINER_OF(e, RawEndpoint, endpoint);
}

static bool block_is_zero(const RawTask *t, size_t at) {
        return memory_is_zero(t->buf + at, MIN(HOLE_BLOCK, t->length - at));
}

static int run_write(PoolTask *task) {
        RawTask *t = CONTAINER_OF(task, RawTask, task);

        for (size_t i = 0; i < t->length;) {
                if (block_is_zero(t, i)) {
                        i += HOLE_BLOCK;
                        continue;
                }
                size_t k = i + HOLE_BLOCK;
                while (k < t->length && !block_is_zero(t, k))
                        k += HOLE_BLOCK;
                k = MIN(k, t->length);
                int r = pwrite_full(t->owner->fd, t->buf + i, k - i, t->offset + i);
                if (r < 0)
                        return r;
                t->written += k - i;
                i = k;
        }
        return writeback_written(&t->owner->writeback, t->offset + t->length, t->written);
}

static int run_write_file(PoolTask *task) {
        RawTask *t = CONTAINER_OF(task, RawTask, task);
        uint64_t written = 0;

        int r = file_copier_copy(&t->owner->copier, &t->from, t->offset, &written, t->source_error);
        t->written = written;
        return r < 0 ? r : writeback_written(&t->owner->writeback, t->offset + t->length, written);
}

static int run_flush(PoolTask *task) {
        RawTask *t = CONTAINER_OF(task, RawTask, task);

        return fdatasync(t->owner->fd) < 0 ? -errno : writeback_error(&t->owner->writeback);
}

static void on_done(PoolTask *task, int result) {
        RawTask *t = CONTAINER_OF(task, RawTask, task);
        Endpoint *e = &t->owner->endpoint;

        if (result < 0 && t->length > 0 && result != -EREMOTEIO)
                (void) endpoint_fail(e, result, "writing %zu bytes at %" PRIu64 " of %s", t->length,
                                t->offset, e->label);
        else if (result < 0 && t->length == 0)
                (void) endpoint_fail(e, result, "flushing %s", e->label);
        e->bytes_written += t->written;
        t->done(t->userdata, result);
        TAILQ_REMOVE(&t->owner->tasks, t, entry);
        free(t);
}

static int submit(RawEndpoint *w, const RawTask *template) {
        RawTask *t = new0(RawTask, 1);

        if (!t)
                return -ENOMEM;
        *t = *template;
        t->owner = w;
        t->task.done = on_done;
        TAILQ_INSERT_TAIL(&w->tasks, t, entry);
        pool_submit(w->pool, &t->task);
        return 0;
}

static int raw_write(Endpoint *e, const void *buf, size_t length, uint64_t offset, EndpointDone done,
                void *userdata) {
        return submit(RAW(e),
                        &(RawTask){
                                        .task = { .run = run_write, .serial = true },
                                        .buf = buf,
                                        .length = length,
                                        .offset = offset,
                                        .done = done,
                                        .userdata = userdata,
                        });
}

static int raw_write_file(Endpoint *e, const FileRange *from, uint64_t offset, int *ret_source_error,
                EndpointDone done, void *userdata) {
        return submit(RAW(e),
                        &(RawTask){
                                        .task = { .run = run_write_file, .serial = true },
                                        .from = *from,
                                        .source_error = ret_source_error,
                                        .length = from->length,
                                        .offset = offset,
                                        .done = done,
                                        .userdata = userdata,
                        });
}

static int raw_flush(Endpoint *e, EndpointDone done, void *userdata) {
        return submit(RAW(e), &(RawTask){ .task.run = run_flush, .done = done, .userdata = userdata });
}

static size_t raw_wait(Endpoint *e, struct pollfd *fds, size_t max) {
        fds[0] = (struct pollfd){ .fd = pool_fd(RAW(e)->pool), .events = POLLIN };
        return 1;
}

static int raw_dispatch(Endpoint *e, const struct pollfd *fds, size_t n) {
        if (n > 0 && fds[0].revents != 0)
                pool_dispatch(RAW(e)->pool);
        return 0;
}

static void raw_stop(Endpoint *e) {
        RawEndpoint *w = RAW(e);

        w->pool = pool_free(w->pool);
        for (RawTask *t; (t = TAILQ_FIRST(&w->tasks));) {
                TAILQ_REMOVE(&w->tasks, t, entry);
                free(t);
        }
}

static void raw_free(Endpoint *e) {
        raw_stop(e);
        writeback_done(&RAW(e)->writeback);
        file_copier_done(&RAW(e)->copier);
        safe_close(RAW(e)->fd);
        free(RAW(e));
}

static const EndpointOps raw_ops = {
        .name = "raw",
        .free = raw_free,
        .stop = raw_stop,
        .write = raw_write,
        .write_file = raw_write_file,
        .flush = raw_flush,
        .wait = raw_wait,
        .dispatch = raw_dispatch,
};

static int prepare_file(int fd, uint64_t size, uint64_t watermark) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADFD;
        if ((uint64_t) st.st_size < watermark) /* not the file that got this far */
                return -EBADMSG;
        if (ftruncate(fd, (off_t) watermark) < 0 || ftruncate(fd, (off_t) size) < 0)
                return -errno;
        return 0;
}

int endpoint_raw_new(int fd, uint64_t size, uint64_t watermark, const char *label, Endpoint **ret,
                char **ret_error) {
        RawEndpoint *w = new0(RawEndpoint, 1);
        _cleanup_endpoint_ Endpoint *e = w ? &w->endpoint : NULL;

        if (!w)
                return -ENOMEM;
        TAILQ_INIT(&w->tasks);
        writeback_init(&w->writeback);
        e->ops = &raw_ops;
        e->size = size;
        w->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (w->fd < 0)
                return -errno;
        e->label = strdup(label);
        if (!e->label)
                return -ENOMEM;
        if (size > INT64_MAX || watermark > size)
                return -EFBIG;

        int r = prepare_file(w->fd, size, watermark);
        if (r < 0) {
                *ret_error = strprintf("preparing %s for %" PRIu64 " bytes: %s", label, size, strerror(-r));
                return r;
        }
        writeback_start(&w->writeback, w->fd, watermark);
        w->copier.fd = w->fd;
        r = pool_new(THREADS, &w->pool);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(e);
        return 0;
}
