/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A qcow2 file, written without qemu. Ranges come in ascending order and host clusters are given out in that
 * same order, so "up to here of the disk" is also "up to here of the file": state() is nothing but that
 * second number (and a third one for compressed data). Writes are in a queue in that order:
 *
 *   compressing (on the pool, in any order) → placed (here, strictly in order) → being written (on the pool)
 *
 * Without compression they are placed at once. Clusters that are all zero get no place at all. */

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "basic/zero.h"
#include "engine/compress.h"
#include "engine/endpoint-qcow2.h"
#include "engine/pool.h"
#include "engine/qcow2-map.h"
#include "engine/writeback.h"

#define WRITE_THREADS 2 /* one writes, one flushes */
#define COMPRESS_THREADS_MAX 8

typedef enum WriteState {
        WRITE_COMPRESSING,
        WRITE_COMPRESSED,
        WRITE_PLACED,
        WRITE_COMPLETE,
        WRITE_FAILED, /* stays in the queue, so that state() never goes beyond it */
} WriteState;

/* A run of bytes that goes to one place. */
typedef struct Segment {
        const char *data;
        size_t length;
        uint64_t at;
} Segment;

typedef struct Qcow2Endpoint {
        Endpoint endpoint;
        int fd;
        Compressor *compressor; /* NULL: nothing is compressed */
        Pool *pool;
        Qcow2Map map;
        Writeback writeback; /* the writer's */
        TAILQ_HEAD(, Write) writes;
        int error; /* of the first write that failed; none is placed after it */
        struct Sync {
                PoolTask task;
                bool busy;
                EndpointDone done;
                void *userdata;
        } sync;
} Qcow2Endpoint;

typedef struct Write {
        PoolTask task;
        Qcow2Endpoint *owner;
        WriteState state;
        const char *buf;
        size_t length;
        uint64_t offset;
        EndpointDone done;
        void *userdata;

        uint64_t before[2]; /* what state() was before it was placed */
        Packed packed; /* the clusters, if they are compressed */
        Segment *segments;
        size_t n_segments;

        TAILQ_ENTRY(Write) entry;
} Write;

static Qcow2Endpoint *QCOW2(Endpoint *e) {
        return CONTAINER_OF(e, Qcow2Endpoint, endpoint);
}

static Write *write_free(Write *w) {
        if (!w)
                return NULL;
        packed_done(&w->packed);
        free(w->segments);
        free(w);
        return NULL;
}

static size_t clusters_of(const Write *w) {
        return (w->length + QCOW2_CLUSTER - 1) / QCOW2_CLUSTER;
}

static size_t cluster_length(const Write *w, size_t i) {
        return MIN((size_t) QCOW2_CLUSTER, w->length - i * QCOW2_CLUSTER);
}

/* --- placing and writing
 * ---------------------------------------------------------------------------------------- */

static int run_compress(PoolTask *t) {
        Write *w = CONTAINER_OF(t, Write, task);

        return compressor_pack(
                        w->owner->compressor, w->offset / QCOW2_CLUSTER, w->buf, w->length, &w->packed);
}

static int run_write(PoolTask *t) {
        Write *w = CONTAINER_OF(t, Write, task);

        for (size_t i = 0; i < w->n_segments; i++) {
                const Segment *s = &w->segments[i];
                int r = pwrite_full(w->owner->fd, s->data, s->length, s->at);
                if (r >= 0)
                        r = writeback_written(&w->owner->writeback, s->at + s->length, s->length);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void add_segment(Write *w, const char *data, size_t length, uint64_t at) {
        Segment *last = w->n_segments > 0 ? &w->segments[w->n_segments - 1] : NULL;

        if (last && last->data + last->length == data && last->at + last->length == at)
                last->length += length;
        else
                w->segments[w->n_segments++] = (Segment){ .data = data, .length = length, .at = at };
}

static int place(Write *w) {
        Qcow2Map *m = &w->owner->map;
        const char *packed = w->packed.data;
        uint64_t at;
        int r;

        w->before[0] = m->next;
        w->before[1] = m->pack;
        w->segments = new0(Segment, clusters_of(w));
        if (!w->segments)
                return -ENOMEM;
        for (size_t i = 0; i < clusters_of(w); i++) {
                const char *data = w->buf + i * QCOW2_CLUSTER;
                uint64_t offset = w->offset + i * QCOW2_CLUSTER;
                size_t length = cluster_length(w, i);

                if (w->packed.sizes ? w->packed.sizes[i] == 0 : memory_is_zero(data, length))
                        continue;
                if (w->packed.sizes && w->packed.sizes[i] < QCOW2_CLUSTER) {
                        r = qcow2_map_put_compressed(m, offset, w->packed.sizes[i], &at);
                        data = packed;
                        length = w->packed.sizes[i];
                        packed += length;
                } else
                        r = qcow2_map_put(m, offset, &at);
                if (r < 0)
                        return r;
                add_segment(w, data, length, at);
        }
        return 0;
}

static void write_settle(Write *w, int result) {
        Qcow2Endpoint *q = w->owner;
        Endpoint *e = &q->endpoint;

        if (result < 0 && q->error == 0)
                q->error = result;
        w->state = result < 0 ? WRITE_FAILED : WRITE_COMPLETE;
        if (result < 0)
                (void) endpoint_fail(e, result, "writing %zu bytes at %" PRIu64 " of %s", w->length,
                                w->offset, e->label);
        else
                e->bytes_written += w->length;
        w->done(w->userdata, result);
        while ((w = TAILQ_FIRST(&q->writes)) && w->state == WRITE_COMPLETE) {
                TAILQ_REMOVE(&q->writes, w, entry);
                write_free(w);
        }
}

static void place_ready(Qcow2Endpoint *q);

static void on_write_done(PoolTask *t, int result) {
        Qcow2Endpoint *q = CONTAINER_OF(t, Write, task)->owner;

        write_settle(CONTAINER_OF(t, Write, task), result);
        if (result < 0)
                place_ready(q);
}

/* Places all that are ready and have nothing unplaced before them; after a failure they fail with it. */
static void place_ready(Qcow2Endpoint *q) {
        for (Write *next, *w = TAILQ_FIRST(&q->writes); w; w = next) {
                next = TAILQ_NEXT(w, entry);
                if (w->state == WRITE_COMPRESSING && q->error == 0)
                        break;
                if (w->state != WRITE_COMPRESSED)
                        continue;
                int r = q->error < 0 ? q->error : place(w);
                if (r < 0 || w->n_segments == 0) {
                        write_settle(w, r);
                        continue;
                }
                w->state = WRITE_PLACED;
                w->task = (PoolTask){ .run = run_write, .done = on_write_done, .serial = true };
                pool_submit(q->pool, &w->task);
        }
}

static void on_compress_done(PoolTask *t, int result) {
        Write *w = CONTAINER_OF(t, Write, task);
        Qcow2Endpoint *q = w->owner;

        if (result < 0)
                write_settle(w, result);
        else
                w->state = WRITE_COMPRESSED;
        place_ready(q);
}

static int qcow2_write(Endpoint *e, const void *buf, size_t length, uint64_t offset, EndpointDone done,
                void *userdata) {
        Qcow2Endpoint *q = QCOW2(e);

        if (offset % QCOW2_CLUSTER != 0 || (length % QCOW2_CLUSTER != 0 && offset + length != e->size))
                return -EINVAL;
        Write *w = new0(Write, 1);
        if (!w)
                return -ENOMEM;
        *w = (Write){
                .task = { .run = run_compress, .done = on_compress_done },
                .owner = q,
                .state = q->compressor ? WRITE_COMPRESSING : WRITE_COMPRESSED,
                .buf = buf,
                .length = length,
                .offset = offset,
                .done = done,
                .userdata = userdata,
        };
        TAILQ_INSERT_TAIL(&q->writes, w, entry);
        if (q->compressor)
                pool_submit(q->pool, &w->task);
        else
                place_ready(q);
        return 0;
}

static void qcow2_state(Endpoint *e, uint64_t ret_state[static 2]) {
        Qcow2Endpoint *q = QCOW2(e);
        const Write *first = TAILQ_FIRST(&q->writes);

        /* Placing failed halfway, or it is not complete: where it began. Not placed: nothing behind it
         * is. */
        bool begun = first && first->segments;
        ret_state[0] = begun ? first->before[0] : q->map.next;
        ret_state[1] = begun ? first->before[1] : q->map.pack;
}

/* --- flush and finish
 * ------------------------------------------------------------------------------------------- */

static int run_sync(PoolTask *t) {
        struct Sync *s = CONTAINER_OF(t, struct Sync, task);
        Qcow2Endpoint *q = CONTAINER_OF(s, Qcow2Endpoint, sync);

        return fdatasync(q->fd) < 0 ? -errno : writeback_error(&q->writeback);
}

static int run_finish(PoolTask *t) {
        struct Sync *s = CONTAINER_OF(t, struct Sync, task);
        Qcow2Endpoint *q = CONTAINER_OF(s, Qcow2Endpoint, sync);

        int r = qcow2_map_finish(&q->map);
        return r < 0 ? r : writeback_error(&q->writeback);
}

static void on_sync_done(PoolTask *t, int result) {
        struct Sync *s = CONTAINER_OF(t, struct Sync, task);
        Endpoint *e = &CONTAINER_OF(s, Qcow2Endpoint, sync)->endpoint;

        if (result == -EBADMSG)
                (void) endpoint_fail(e, result,
                                "completing the tables of %s, which somebody else has changed", e->label);
        else if (result < 0)
                (void) endpoint_fail(e, result, "flushing %s", e->label);
        s->busy = false;
        s->done(s->userdata, result);
}

static int start_sync(Qcow2Endpoint *q, int (*run)(PoolTask *), EndpointDone done, void *userdata) {
        if (q->sync.busy)
                return -EBUSY;
        q->sync = (struct Sync){ .task = { .run = run, .done = on_sync_done },
                .busy = true,
                .done = done,
                .userdata = userdata };
        pool_submit(q->pool, &q->sync.task);
        return 0;
}

/* Entries for writes that are still under way go along; whoever resumes from state() drops them. */
static int qcow2_flush(Endpoint *e, EndpointDone done, void *userdata) {
        int r = qcow2_map_write(&QCOW2(e)->map);

        if (r < 0)
                return endpoint_fail(e, r, "writing the tables of %s", e->label);
        return start_sync(QCOW2(e), run_sync, done, userdata);
}

static int qcow2_finish(Endpoint *e, EndpointDone done, void *userdata) {
        return start_sync(QCOW2(e), run_finish, done, userdata);
}

static size_t qcow2_wait(Endpoint *e, struct pollfd *fds, size_t max) {
        fds[0] = (struct pollfd){ .fd = pool_fd(QCOW2(e)->pool), .events = POLLIN };
        return 1;
}

static int qcow2_dispatch(Endpoint *e, const struct pollfd *fds, size_t n) {
        if (n > 0 && fds[0].revents != 0)
                pool_dispatch(QCOW2(e)->pool);
        return 0;
}

static void qcow2_stop(Endpoint *e) {
        Qcow2Endpoint *q = QCOW2(e);

        q->pool = pool_free(q->pool);
        for (Write *w; (w = TAILQ_FIRST(&q->writes));) {
                TAILQ_REMOVE(&q->writes, w, entry);
                write_free(w);
        }
}

static void qcow2_free(Endpoint *e) {
        qcow2_stop(e);
        writeback_done(&QCOW2(e)->writeback);
        compressor_free(QCOW2(e)->compressor);
        qcow2_map_done(&QCOW2(e)->map);
        safe_close(QCOW2(e)->fd);
        free(QCOW2(e));
}

static const EndpointOps qcow2_ops = {
        .name = "qcow2",
        .free = qcow2_free,
        .stop = qcow2_stop,
        .write = qcow2_write,
        .flush = qcow2_flush,
        .finish = qcow2_finish,
        .state = qcow2_state,
        .wait = qcow2_wait,
        .dispatch = qcow2_dispatch,
};

/* --- making one
 * ------------------------------------------------------------------------------------------------- */

static unsigned compress_threads(void) {
        cpu_set_t cpus;
        int n = sched_getaffinity(0, sizeof(cpus), &cpus) >= 0 ? CPU_COUNT(&cpus) : 1;

        return (unsigned) CLAMP(n, 1, COMPRESS_THREADS_MAX);
}

static int open_map(Qcow2Endpoint *q, const Qcow2Options *o) {
        struct stat st;

        if (fstat(q->fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADFD;
        int r = o->watermark == 0
                        ? qcow2_map_create(&q->map, q->fd, o->size)
                        : qcow2_map_resume(&q->map, q->fd, o->size, o->watermark, o->state[0], o->state[1]);
        q->map.layout.zstd = o->compression == COMPRESSION_ZSTD;
        return r;
}

static int set_up(Qcow2Endpoint *q, const Qcow2Options *o) {
        int r = o->watermark > o->size ? -EFBIG : open_map(q, o);

        if (r < 0)
                return r;
        writeback_start(&q->writeback, q->fd, q->map.next);
        if (o->compression == COMPRESSION_NONE)
                return pool_new(WRITE_THREADS, &q->pool);
        r = compressor_new(o->compression, QCOW2_CLUSTER, &q->compressor);
        return r < 0 ? r : pool_new(o->threads > 0 ? o->threads : compress_threads(), &q->pool);
}

int endpoint_qcow2_new(int fd, const Qcow2Options *o, const char *label, Endpoint **ret, char **ret_error) {
        Qcow2Endpoint *q = new0(Qcow2Endpoint, 1);
        _cleanup_endpoint_ Endpoint *e = q ? &q->endpoint : NULL;

        if (!q)
                return -ENOMEM;
        TAILQ_INIT(&q->writes);
        writeback_init(&q->writeback);
        e->ops = &qcow2_ops;
        e->size = o->size;
        q->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (q->fd < 0)
                return -errno;
        e->label = strdup(label);
        if (!e->label)
                return -ENOMEM;
        int r = set_up(q, o);
        if (r < 0) {
                *ret_error = strprintf("preparing %s as qcow2 for %" PRIu64 " bytes: %s", label, o->size,
                                strerror(-r));
                return r;
        }
        *ret = TAKE_PTR(e);
        return 0;
}
