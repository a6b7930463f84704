/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads block, so threads do them. */

#include "engine/endpoint-file.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "engine/pool.h"

#define REQUEST ((size_t) 512 * 1024)
#define THREADS_MAX 4
#define EXTENTS_MAX 1024u /* of one answer; the rest is asked for again */

typedef struct FileEndpoint {
        Endpoint endpoint;
        Pool *pool;
        TAILQ_HEAD(, FileRead) reads;
        size_t n_ranges;
        FileRange *ranges;
        uint64_t *begins; /* of each range, on the disk */
} FileEndpoint;

typedef struct FileRead {
        PoolTask task;
        FileEndpoint *owner;
        char *buf;
        size_t length;
        uint64_t offset;
        EndpointDone done;
        void *userdata;
        TAILQ_ENTRY(FileRead) entry;
} FileRead;

static FileEndpoint *FILE_ENDPOINT(Endpoint *e) {
        return CONTAINER_OF(e, FileEndpoint, endpoint);
}

/* Which of the file's bytes are the disk's from @offset on, at most @length and as far as they are in one
 * piece. */
static FileRange find_range(const FileEndpoint *f, uint64_t offset, uint64_t length) {
        size_t low = 0, high = f->n_ranges;

        while (high - low > 1) {
                size_t middle = low + (high - low) / 2;
                if (f->begins[middle] <= offset)
                        low = middle;
                else
                        high = middle;
        }
        uint64_t inside = offset - f->begins[low];
        FileRange range = f->ranges[low];
        range.offset += inside;
        range.length = MIN(range.length - inside, length);
        return range;
}

/* --- extents --------------------------------------------------------------------------------------- */

static int refuse_short(FileEndpoint *f, uint64_t offset) {
        return endpoint_fail(&f->endpoint, EIO, "reading %s at %" PRIu64 ": a file has become shorter",
                        f->endpoint.label, offset);
}

/* The first run of @range: how long it is, and whether it is a hole. Where the file system does not say, it
 * is data. */
static int find_run(const FileRange *range, Extent *ret) {
        uint64_t end = range->offset + range->length;
        struct stat st;

        *ret = (Extent){ .length = range->length, .zero = range->fd < 0 };
        if (range->fd < 0)
                return 0;
        off_t data = lseek(range->fd, (off_t) range->offset, SEEK_DATA);
        if (data < 0 && errno != ENXIO)
                return 0;
        if (data < 0 || (uint64_t) data >= end) {
                /* Behind the end of a file there is no data either. */
                if (fstat(range->fd, &st) < 0)
                        return -errno;
                if ((uint64_t) st.st_size < end)
                        return -ENXIO;
                ret->zero = true;
                return 0;
        }
        if ((uint64_t) data > range->offset) {
                *ret = (Extent){ .length = (uint64_t) data - range->offset, .zero = true };
                return 0;
        }
        off_t hole = lseek(range->fd, data, SEEK_HOLE);
        if (hole > data && (uint64_t) hole < end)
                ret->length = (uint64_t) hole - range->offset;
        return 0;
}

static int file_extents(
                Endpoint *e, uint64_t offset, uint64_t length, EndpointExtentsDone done, void *userdata) {
        FileEndpoint *f = FILE_ENDPOINT(e);
        Extent extents[EXTENTS_MAX];
        size_t n = 0;

        for (uint64_t at = 0; at < length && n < EXTENTS_MAX;) {
                FileRange range = find_range(f, offset + at, length - at);
                Extent x;
                int r = find_run(&range, &x);
                if (r == -ENXIO)
                        return refuse_short(f, offset + at);
                if (r < 0)
                        return endpoint_fail(e, r, "asking for the holes of %s", e->label);
                if (n > 0 && extents[n - 1].zero == x.zero)
                        extents[n - 1].length += x.length;
                else
                        extents[n++] = x;
                at += x.length;
        }
        done(userdata, extents, n, 0);
        return 0;
}

/* --- reading --------------------------------------------------------------------------------------- */

static int run_read(PoolTask *task) {
        FileRead *q = CONTAINER_OF(task, FileRead, task);
        FileRange range;

        for (size_t at = 0; at < q->length; at += range.length) {
                range = find_range(q->owner, q->offset + at, q->length - at);
                if (range.fd < 0) {
                        memset(q->buf + at, 0, range.length);
                        continue;
                }
                int r = file_range_read(&range, q->buf + at);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void on_read(PoolTask *task, int result) {
        FileRead *q = CONTAINER_OF(task, FileRead, task);
        Endpoint *e = &q->owner->endpoint;

        if (result < 0)
                (void) endpoint_fail(e, result, "reading %zu bytes at %" PRIu64 " of %s", q->length,
                                q->offset, e->label);
        q->done(q->userdata, result);
        TAILQ_REMOVE(&q->owner->reads, q, entry);
        free(q);
}

static int file_read(
                Endpoint *e, void *buf, size_t length, uint64_t offset, EndpointDone done, void *userdata) {
        FileEndpoint *f = FILE_ENDPOINT(e);
        FileRead *q = new0(FileRead, 1);

        if (!q)
                return -ENOMEM;
        *q = (FileRead){
                .task = { .run = run_read, .done = on_read },
                .owner = f,
                .buf = buf,
                .length = length,
                .offset = offset,
                .done = done,
                .userdata = userdata,
        };
        TAILQ_INSERT_TAIL(&f->reads, q, entry);
        e->bytes_read += length;
        pool_submit(f->pool, &q->task);
        return 0;
}

static FileRange file_place(Endpoint *e, uint64_t offset, uint64_t length) {
        return find_range(FILE_ENDPOINT(e), offset, length);
}

static size_t file_wait(Endpoint *e, struct pollfd *fds, size_t max) {
        fds[0] = (struct pollfd){ .fd = pool_fd(FILE_ENDPOINT(e)->pool), .events = POLLIN };
        return 1;
}

static int file_dispatch(Endpoint *e, const struct pollfd *fds, size_t n) {
        if (n > 0 && fds[0].revents != 0)
                pool_dispatch(FILE_ENDPOINT(e)->pool);
        return 0;
}

static void file_stop(Endpoint *e) {
        FileEndpoint *f = FILE_ENDPOINT(e);

        f->pool = pool_free(f->pool);
        for (FileRead *q; (q = TAILQ_FIRST(&f->reads));) {
                TAILQ_REMOVE(&f->reads, q, entry);
                free(q);
        }
}

static void file_free(Endpoint *e) {
        FileEndpoint *f = FILE_ENDPOINT(e);

        file_stop(e);
        for (size_t i = 0; i < f->n_ranges; i++)
                safe_close(f->ranges[i].fd);
        free(f->ranges);
        free(f->begins);
        free(f);
}

static const EndpointOps file_ops = {
        .name = "file",
        .free = file_free,
        .stop = file_stop,
        .extents = file_extents,
        .read = file_read,
        .place = file_place,
        .wait = file_wait,
        .dispatch = file_dispatch,
};

/* --- making one ------------------------------------------------------------------------------------ */

static int add_range(FileEndpoint *f, const FileRange *range) {
        FileRange r = *range;

        if (r.length == 0)
                return 0;
        if (r.length > INT64_MAX - f->endpoint.size || r.offset > INT64_MAX - r.length)
                return -EFBIG;
        if (r.fd >= 0) {
                r.fd = fcntl(r.fd, F_DUPFD_CLOEXEC, 3);
                if (r.fd < 0)
                        return -errno;
                (void) posix_fadvise(r.fd, (off_t) r.offset, (off_t) r.length, POSIX_FADV_SEQUENTIAL);
        }
        f->begins[f->n_ranges] = f->endpoint.size;
        f->ranges[f->n_ranges++] = r;
        f->endpoint.size += r.length;
        return 0;
}

static unsigned threads_for_reading(void) {
        cpu_set_t cpus;
        int n = sched_getaffinity(0, sizeof(cpus), &cpus) >= 0 ? CPU_COUNT(&cpus) : 2;

        return (unsigned) CLAMP(n, 2, THREADS_MAX);
}

int endpoint_file_new(const FileRange *ranges, size_t n, const char *label, Endpoint **ret) {
        FileEndpoint *f = new0(FileEndpoint, 1);
        _cleanup_endpoint_ Endpoint *e = f ? &f->endpoint : NULL;
        int r = 0;

        if (!f)
                return -ENOMEM;
        TAILQ_INIT(&f->reads);
        e->ops = &file_ops;
        e->preferred = REQUEST;
        e->alignment = 1;
        e->label = strdup(label);
        f->ranges = new0(FileRange, MAX(n, (size_t) 1));
        f->begins = new0(uint64_t, MAX(n, (size_t) 1));
        if (!e->label || !f->ranges || !f->begins)
                return -ENOMEM;
        for (size_t i = 0; i < n && r >= 0; i++)
                r = add_range(f, &ranges[i]);
        if (r < 0)
                return r;
        unsigned threads = threads_for_reading();
        e->in_flight_max = 2 * threads;
        r = pool_new(threads, &f->pool);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(e);
        return 0;
}
