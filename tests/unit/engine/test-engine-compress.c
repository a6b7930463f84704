/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the compressors write is what was given to them, for the strictest reader; and it is small.
 *
 * valgrind: all */

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "basic/fd-util.h"
#include "engine/compress.h"
#include "unit/lib/engine-util.h"
#include "unit/lib/inflate-strict.h"

#define CLUSTER ((size_t) 65536)

static uint64_t state;

static uint32_t next_number(uint32_t below) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (uint32_t) (state >> 33) % below;
}

/* Kinds of clusters: how many values bytes have, how far back copies reach, how long they are. */
static void fill_cluster(unsigned char *p, size_t size, unsigned kind) {
        uint32_t values = 1 + next_number(kind % 5 == 0 ? 2 : kind % 3 == 0 ? 20 : 256);
        uint32_t reach = 1 + next_number(kind % 2 == 0 ? 300 : 9000);
        uint32_t longest = 1 + next_number(kind % 7 == 0 ? 3000 : 40);

        for (size_t i = 0; i < size;) {
                size_t back = 1 + next_number(reach);
                if (back <= i && next_number(3) > 0)
                        for (size_t n = 1 + next_number(longest); n > 0 && i < size; n--, i++)
                                p[i] = p[i - back];
                else
                        p[i++] = (unsigned char) next_number(values);
        }
}

/* Memory that ends where reading fails. */
static unsigned char *map_guarded(size_t size) {
        size_t page = (size_t) sysconf(_SC_PAGESIZE);
        unsigned char *p =
                        mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        ck_assert(p != MAP_FAILED);
        ck_assert_int_eq(mprotect(p + size, page, PROT_NONE), 0);
        return p;
}

/* The packed size, if it is the cluster @place of the disk, after a look at what the strictest reader makes
 * of it. */
static size_t assert_deflates_at(Compressor *c, uint64_t place, const unsigned char *data) {
        static unsigned char back[CLUSTER];
        _cleanup_(packed_done) Packed p = {};

        ck_assert_int_eq(compressor_pack(c, place, (const char *) data, CLUSTER, &p), 0);
        ck_assert_uint_le(p.sizes[0], CLUSTER);
        if (p.sizes[0] > 0 && p.sizes[0] < CLUSTER) {
                ck_assert_uint_eq(inflate_strictly(p.data, p.sizes[0], back, sizeof(back)), CLUSTER);
                ck_assert_int_eq(memcmp(back, data, CLUSTER), 0);
        }
        return p.sizes[0];
}

/* Some places are left to zlib. The sizes may differ a little; this is the larger one. */
static size_t assert_deflates(Compressor *c, const unsigned char *data) {
        size_t first = assert_deflates_at(c, 0, data), last = assert_deflates_at(c, 15, data);

        ck_assert((first == CLUSTER) == (last == CLUSTER));
        return MAX(first, last);
}

START_TEST(zlib_is_read_by_the_strictest_reader) {
        _cleanup_(compressor_freep) Compressor *c = NULL;
        unsigned char *data = map_guarded(CLUSTER);

        ck_assert_int_eq(compressor_new(COMPRESSION_ZLIB, CLUSTER, &c), 0);
        state = 1;
        for (unsigned kind = 0; kind < 600; kind++) {
                fill_cluster(data, CLUSTER, kind);
                if (kind % 4 == 1) /* sparse */
                        memset(data + CLUSTER / 16, 0, CLUSTER - CLUSTER / 8);
                assert_deflates(c, data);
        }
        memset(data, 1, CLUSTER);
        ck_assert_uint_lt(assert_deflates(c, data), 1000);
}
END_TEST

/* Letters that are random for @period bytes, then the same ones again. Random bytes would not be tried. */
static void fill_periods(unsigned char *data, size_t period) {
        state = period;
        for (size_t i = 0; i < CLUSTER; i++)
                data[i] = i < period ? (unsigned char) ('0' + next_number(64)) : data[i - period];
}

/* The letters alone are 6 bits each, so less than that shows that matches were found. (zlib does not look as
 * far back as its window reaches.) */
START_TEST(matches_stay_in_the_window) {
        _cleanup_(compressor_freep) Compressor *c = NULL;
        unsigned char *data = map_guarded(CLUSTER);

        ck_assert_int_eq(compressor_new(COMPRESSION_ZLIB, CLUSTER, &c), 0);
        for (size_t period = 4000; period <= 4200; period++) {
                fill_periods(data, period);
                size_t size = assert_deflates(c, data);
                if (period < 4096)
                        ck_assert_uint_lt(assert_deflates_at(c, 0, data), 8192);
                else if (period > 4096)
                        ck_assert_uint_gt(size, CLUSTER / 8 * 6);
        }
        fill_periods(data, 3800);
        ck_assert_uint_lt(assert_deflates(c, data), 8192);
        for (size_t period = 4300; period <= 33000; period += 97) {
                fill_periods(data, period);
                ck_assert_uint_gt(assert_deflates(c, data), CLUSTER / 8 * 6);
        }
}
END_TEST

/* The last 60 KiB could be packed. They are only tried if the bytes are less even, or the first 4 KiB become
 * smaller. */
START_TEST(what_looks_random_is_given_up_early) {
        _cleanup_(compressor_freep) Compressor *c = NULL;
        unsigned char *data = map_guarded(CLUSTER);

        ck_assert_int_eq(compressor_new(COMPRESSION_ZLIB, CLUSTER, &c), 0);
        for (size_t i = 0; i < CLUSTER; i++)
                data[i] = (unsigned char) (i / 8); /* every 8th byte is looked at */
        ck_assert_uint_lt(assert_deflates(c, data), CLUSTER / 4);
        fill_random(data, 4096, 1);
        ck_assert_uint_eq(assert_deflates(c, data), CLUSTER);
        memset(data + CLUSTER / 2, 1, CLUSTER / 2);
        ck_assert_uint_lt(assert_deflates(c, data), CLUSTER / 2);
        fill_random(data, CLUSTER, 1);
        ck_assert_uint_eq(assert_deflates(c, data), CLUSTER);
}
END_TEST

static size_t deflated_by_zlib(z_stream *z, unsigned char *data) {
        static unsigned char out[2 * CLUSTER];

        ck_assert_int_eq(deflateReset(z), Z_OK);
        z->next_in = data;
        z->avail_in = CLUSTER;
        z->next_out = out;
        z->avail_out = sizeof(out);
        ck_assert_int_eq(deflate(z, Z_FINISH), Z_STREAM_END);
        return z->total_out;
}

/* The program of this very test has code, text and tables. */
START_TEST(zlib_is_nearly_as_small_as_that_of_zlib) {
        _cleanup_(compressor_freep) Compressor *c = NULL;
        _cleanup_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        static unsigned char data[CLUSTER];
        size_t ours = 0, theirs = 0;
        uint64_t place = 0;
        z_stream z = {};

        ck_assert_int_eq(compressor_new(COMPRESSION_ZLIB, CLUSTER, &c), 0);
        ck_assert_int_eq(deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -12, 9, Z_DEFAULT_STRATEGY),
                        Z_OK);
        while (read(fd, data, CLUSTER) == (ssize_t) CLUSTER) {
                ours += assert_deflates_at(c, place++, data);
                theirs += deflated_by_zlib(&z, data);
        }
        deflateEnd(&z);
        ck_assert_uint_gt(theirs, 10000);
        ck_assert_msg(ours * 100 <= theirs * 110, "%zu bytes instead of %zu", ours, theirs);
}
END_TEST

static void unpack(Compression kind, const char *data, size_t size, char *ret) {
        size_t n = kind == COMPRESSION_ZSTD ? ZSTD_decompress(ret, CLUSTER, data, size)
                                            : inflate_strictly(data, size, ret, CLUSTER);

        ck_assert_uint_eq(n, CLUSTER);
}

static void assert_packs(Compressor *c, Compression kind) {
        enum { CLUSTERS = 5 };
        size_t length = CLUSTERS * CLUSTER - 100;
        _cleanup_free_ char *data = calloc(1, CLUSTERS * CLUSTER), *back = malloc(CLUSTER);
        _cleanup_(packed_done) Packed p = {};

        memset(data, 'a', CLUSTER);
        /* One of zeroes. */
        fill_random(data + 2 * CLUSTER, CLUSTER, 7);
        memset(data + 3 * CLUSTER, 'b', 10);
        memset(data + 4 * CLUSTER, 'c', CLUSTER - 100);
        ck_assert_int_eq(compressor_pack(c, 0, data, length, &p), 0);
        ck_assert_uint_eq(p.sizes[1], 0);
        ck_assert_uint_eq(p.sizes[2], CLUSTER);
        const char *at = p.data;
        for (size_t i = 0; i < CLUSTERS; i++) {
                if (p.sizes[i] == 0 || p.sizes[i] == CLUSTER)
                        continue;
                ck_assert_uint_lt(p.sizes[i], 1000);
                unpack(kind, at, p.sizes[i], back);
                ck_assert_int_eq(memcmp(back, data + i * CLUSTER, CLUSTER), 0);
                at += p.sizes[i];
        }
}

START_TEST(each_kind_packs_what_it_is_given) {
        for (Compression kind = COMPRESSION_ZLIB; kind < _COMPRESSION_MAX; kind++) {
                _cleanup_(compressor_freep) Compressor *c = NULL;
                ck_assert_ptr_nonnull(compression_to_string(kind));
                ck_assert_int_eq(compressor_new(kind, CLUSTER, &c), 0);
                for (unsigned i = 0; i < 10; i++)
                        assert_packs(c, kind);
        }
        ck_assert_ptr_null(compression_to_string(COMPRESSION_NONE));
}
END_TEST

static void *pack_often(void *userdata) {
        for (unsigned i = 0; i < 50; i++)
                assert_packs(userdata, COMPRESSION_ZLIB);
        return NULL;
}

START_TEST(threads_do_not_share_their_memory) {
        _cleanup_(compressor_freep) Compressor *c = NULL;
        pthread_t threads[4];

        ck_assert_int_eq(compressor_new(COMPRESSION_ZLIB, CLUSTER, &c), 0);
        for (size_t i = 0; i < ELEMENTSOF(threads); i++)
                ck_assert_int_eq(pthread_create(&threads[i], NULL, pack_often, c), 0);
        for (size_t i = 0; i < ELEMENTSOF(threads); i++)
                ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}
END_TEST

TEST_MAIN("engine-compress", zlib_is_read_by_the_strictest_reader, matches_stay_in_the_window,
                what_looks_random_is_given_up_early, zlib_is_nearly_as_small_as_that_of_zlib,
                each_kind_packs_what_it_is_given, threads_do_not_share_their_memory)
