/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/compress.h"

#include <isa-l/igzip_lib.h>
#include <pthread.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "basic/zero.h"

/* A quarter faster than the default level of 3, and 2 percent larger. */
#define ZSTD_LEVEL 2
/* The level of ISA-L with the best ratio: a tenth of the time of zlib's default level, and 7 percent
 * larger. */
#define ISAL_LEVEL 3
#define ISAL_LEVEL_MEMORY ISAL_DEF_LVL3_DEFAULT
/* Of zlib: three quarters of the time of its default level, and 1 percent larger. */
#define ZLIB_LEVEL 4
#define WINDOW_BITS 12 /* readers of qcow2 inflate with a window of 4 KiB */

#define CLUSTER_MAX ((size_t) 65536)
#define SAMPLE_STEP 8u /* one byte in that many is looked at, before anything is tried */
#define SAMPLE_MIN 4096u /* fewer bytes say too little */
#define PROBE_LENGTH ((size_t) 4096) /* what looks random is only tried if so much of it becomes smaller */

#define IDLE_MAX 16u

/* A kind: its memory, and how a cluster is compressed with it: *ret is 0 if it does not become smaller.
 * @place is the number of the cluster on the disk. */
typedef struct Kind {
        const char *name;
        int (*make)(void **ret);
        void (*free)(void *memory);
        int (*compress)(void *memory, uint64_t place, const char *data, size_t size, char *out, size_t *ret);
} Kind;

struct Compressor {
        const Kind *kind;
        size_t cluster;
        pthread_mutex_t lock; /* for what follows */
        void *idle[IDLE_MAX]; /* memory that no thread uses now */
        size_t n_idle;
};

/* --- kinds ----------------------------------------------------------------------------------------- */

typedef struct Zlib {
        struct isal_zstream isal;
        uint8_t isal_memory[ISAL_LEVEL_MEMORY];
        z_stream zlib;
} Zlib;

static void zlib_free(void *memory) {
        Zlib *z = memory;

        if (z)
                (void) deflateEnd(&z->zlib);
        free(z);
}

static int zlib_make(void **ret) {
        Zlib *z = new0(Zlib, 1);

        if (!z)
                return -ENOMEM;
        if (deflateInit2(&z->zlib, ZLIB_LEVEL, Z_DEFLATED, -WINDOW_BITS, MAX_MEM_LEVEL,
                            Z_DEFAULT_STRATEGY) != Z_OK) {
                free(z);
                return -ENOMEM;
        }
        *ret = z;
        return 0;
}

/* Raw deflate. The length; 0 if it is not smaller than @size; negative errno. */
static ssize_t deflate_fast(Zlib *z, const char *data, size_t size, char *out) {
        struct isal_zstream *s = &z->isal;

        isal_deflate_stateless_init(s);
        s->level = ISAL_LEVEL;
        s->level_buf = z->isal_memory;
        s->level_buf_size = sizeof(z->isal_memory);
        s->hist_bits = WINDOW_BITS;
        s->end_of_stream = 1;
        s->next_in = (uint8_t *) data; /* is only read */
        s->avail_in = (uint32_t) size;
        s->next_out = (uint8_t *) out;
        s->avail_out = (uint32_t) size - 1;
        switch (isal_deflate_stateless(s)) {
        case COMP_OK:
                return (ssize_t) s->total_out;
        case STATELESS_OVERFLOW:
                return 0;
        default:
                return -EIO;
        }
}

static ssize_t deflate_well(Zlib *z, const char *data, size_t size, char *out) {
        z_stream *s = &z->zlib;
        int r;

        if (deflateReset(s) != Z_OK)
                return -EIO;
        s->next_in = (uint8_t *) data; /* is only read */
        s->avail_in = (uint32_t) size;
        s->next_out = (uint8_t *) out;
        s->avail_out = (uint32_t) size - 1;
        r = deflate(s, Z_FINISH);
        return r == Z_STREAM_END ? (ssize_t) s->total_out : r == Z_OK || r == Z_BUF_ERROR ? 0 : -EIO;
}

/* True if a sample of the bytes is spread as evenly as random bytes are, judged by the sum of the squares of
 * their counts. */
static bool looks_random(const char *data, size_t size) {
        uint32_t counts[256] = {};
        uint64_t n = 0, squares = 0;

        for (size_t i = 0; i < size; i += SAMPLE_STEP, n++)
                counts[(uint8_t) data[i]]++;
        for (size_t i = 0; i < ELEMENTSOF(counts); i++)
                squares += (uint64_t) counts[i] * counts[i];
        /* For random bytes the sum is near n + n² / 256. With n = 8192 it never reaches a tenth more. */
        return n >= SAMPLE_MIN && squares * 2560 < n * 2560 + n * n * 11;
}

/* Every second cluster is left to zlib. Together, this takes two fifths of the time of its default level, and
 * the result is 4 or 5 percent larger. */
static int zlib_compress(
                void *memory, uint64_t place, const char *data, size_t size, char *out, size_t *ret) {
        ssize_t n;

        if (size > PROBE_LENGTH && looks_random(data, size)) {
                n = deflate_fast(memory, data, PROBE_LENGTH, out);
                if (n <= 0) {
                        *ret = 0;
                        return (int) n;
                }
        }
        n = place % 2 ? deflate_well(memory, data, size, out) : deflate_fast(memory, data, size, out);
        if (n < 0)
                return (int) n;
        *ret = (size_t) n;
        return 0;
}

static int zstd_make(void **ret) {
        *ret = ZSTD_createCCtx();
        return *ret ? 0 : -ENOMEM;
}

static void zstd_free(void *memory) {
        ZSTD_freeCCtx(memory);
}

/* It fails only for want of memory, and when the result does not fit. */
static int zstd_compress(
                void *memory, uint64_t place, const char *data, size_t size, char *out, size_t *ret) {
        size_t n = ZSTD_compressCCtx(memory, out, size - 1, data, size, ZSTD_LEVEL);

        if (ZSTD_isError(n) && ZSTD_getErrorCode(n) != ZSTD_error_dstSize_tooSmall)
                return -ENOMEM;
        *ret = ZSTD_isError(n) ? 0 : n;
        return 0;
}

static const Kind kinds[_COMPRESSION_MAX] = {
        [COMPRESSION_ZLIB] = { "zlib", zlib_make, zlib_free, zlib_compress },
        [COMPRESSION_ZSTD] = { "zstd", zstd_make, zstd_free, zstd_compress },
};

const char *compression_to_string(Compression c) {
        return c < _COMPRESSION_MAX ? kinds[c].name : NULL;
}

/* --- the memory of the threads --------------------------------------------------------------------- */

int compressor_new(Compression kind, size_t cluster, Compressor **ret) {
        Compressor *c = new0(Compressor, 1);

        if (!c)
                return -ENOMEM;
        assert(cluster > 1 && cluster <= CLUSTER_MAX);
        *c = (Compressor){ .kind = &kinds[kind], .cluster = cluster };
        pthread_mutex_init(&c->lock, NULL);
        *ret = c;
        return 0;
}

Compressor *compressor_free(Compressor *c) {
        if (!c)
                return NULL;
        while (c->n_idle > 0)
                c->kind->free(c->idle[--c->n_idle]);
        pthread_mutex_destroy(&c->lock);
        free(c);
        return NULL;
}

static int take_memory(Compressor *c, void **ret) {
        void *memory = NULL;

        pthread_mutex_lock(&c->lock);
        if (c->n_idle > 0)
                memory = c->idle[--c->n_idle];
        pthread_mutex_unlock(&c->lock);
        if (!memory)
                return c->kind->make(ret);
        *ret = memory;
        return 0;
}

static void give_memory_back(Compressor *c, void *memory) {
        pthread_mutex_lock(&c->lock);
        bool full = c->n_idle == IDLE_MAX;
        if (!full)
                c->idle[c->n_idle++] = memory;
        pthread_mutex_unlock(&c->lock);
        if (full)
                c->kind->free(memory);
}

/* --- packing --------------------------------------------------------------------------------------- */

void packed_done(Packed *p) {
        free(p->data);
        free(p->sizes);
        *p = (Packed){};
}

static int pack_one(const Compressor *c, void *memory, uint64_t place, const char *data, char *out,
                uint32_t *ret) {
        size_t n = 0;
        int r = c->kind->compress(memory, place, data, c->cluster, out, &n);

        *ret = (uint32_t) (n > 0 ? n : c->cluster);
        return r;
}

static int pack_all(const Compressor *c, void *memory, uint64_t first, const char *data, size_t length,
                Packed *p) {
        _cleanup_free_ char *padded = NULL;
        char *out = p->data;
        int r = 0;

        for (size_t i = 0; i * c->cluster < length && r >= 0; i++) {
                const char *from = data + i * c->cluster;
                size_t n = MIN(c->cluster, length - i * c->cluster);

                if (memory_is_zero(from, n)) {
                        p->sizes[i] = 0;
                        continue;
                }
                if (n < c->cluster) { /* the disk's end */
                        padded = calloc(1, c->cluster);
                        if (!padded)
                                return -ENOMEM;
                        from = memcpy(padded, from, n);
                }
                r = pack_one(c, memory, first + i, from, out, &p->sizes[i]);
                if (p->sizes[i] < c->cluster)
                        out += p->sizes[i];
        }
        return r;
}

int compressor_pack(Compressor *c, uint64_t first, const char *data, size_t length, Packed *ret) {
        size_t n = (length + c->cluster - 1) / c->cluster;
        Packed p = { .data = malloc(n * c->cluster), .sizes = new0(uint32_t, n) };
        void *memory = NULL;

        int r = p.data && p.sizes ? take_memory(c, &memory) : -ENOMEM;
        if (r >= 0) {
                r = pack_all(c, memory, first, data, length, &p);
                give_memory_back(c, memory);
        }
        if (r < 0) {
                packed_done(&p);
                return r;
        }
        *ret = p;
        return 0;
}
