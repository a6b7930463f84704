/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the compressors write is what was given to them, for the strictest reader; and it is small. */

#include <fcntl.h>
#include <pthread.h>
#include <zlib.h>
#include <zstd.h>

#include "basic/fd-util.h"
#include "engine/compress.h"
#include "engine/deflate.h"
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

static void assert_deflates(Deflate *d, const unsigned char *data, size_t size) {
        static unsigned char out[2 * CLUSTER], back[CLUSTER];
        size_t max = sizeof(out) - DEFLATE_SLACK, n = deflate_block(d, data, size, out, max);

        if (n == 0) /* looked random */
                return;
        ck_assert_uint_eq(inflate_strictly(out, n, back, sizeof(back)), size);
        ck_assert_int_eq(memcmp(back, data, size), 0);
        /* No byte more than it says. */
        memset(out, 0xa5, sizeof(out));
        ck_assert_uint_eq(deflate_block(d, data, size, out, n), n);
        ck_assert_uint_eq(out[n + DEFLATE_SLACK], 0xa5);
        ck_assert_uint_eq(deflate_block(d, data, size, out, n - 1), 0);
}

START_TEST(deflate_is_read_by_the_strictest_reader) {
        _cleanup_(deflate_freep) Deflate *d = NULL;
        static unsigned char data[CLUSTER];

        ck_assert_int_eq(deflate_new(&d), 0);
        state = 1;
        for (unsigned kind = 0; kind < 600; kind++) {
                size_t size = kind % 4 == 0 ? CLUSTER : next_number((uint32_t) CLUSTER + 1);
                fill_cluster(data, size, kind);
                assert_deflates(d, data, size);
        }
        for (size_t size = 0; size < 40; size++) {
                memset(data, 'x', size);
                assert_deflates(d, data, size);
                fill_cluster(data, size, 3);
                assert_deflates(d, data, size);
        }
        memset(data, 1, sizeof(data));
        assert_deflates(d, data, sizeof(data));
}
END_TEST

/* Counts as of a Fibonacci tree would give codes of 20 bits and more. */
START_TEST(codes_are_never_too_long) {
        _cleanup_(deflate_freep) Deflate *d = NULL;
        static unsigned char data[CLUSTER];
        size_t at = 0, a = 1, b = 1;

        ck_assert_int_eq(deflate_new(&d), 0);
        for (unsigned value = 0; at < sizeof(data); value++) {
                for (size_t i = 0; i < a && at < sizeof(data); i++)
                        data[at++] = (unsigned char) value;
                size_t sum = a + b;
                a = b;
                b = sum;
        }
        state = 5;
        for (size_t i = sizeof(data); i-- > 1;) { /* so that there are no runs */
                size_t k = next_number((uint32_t) i + 1);
                unsigned char x = data[i];
                data[i] = data[k];
                data[k] = x;
        }
        assert_deflates(d, data, sizeof(data));
}
END_TEST

/* A match may begin 4096 bytes before, and not one byte more. */
START_TEST(matches_stay_in_the_window) {
        _cleanup_(deflate_freep) Deflate *d = NULL;
        static unsigned char data[CLUSTER], out[2 * CLUSTER];
        size_t sizes[2];

        ck_assert_int_eq(deflate_new(&d), 0);
        for (unsigned k = 0; k < 2; k++) {
                size_t period = DEFLATE_WINDOW + k;
                fill_random(data, period, 1);
                for (size_t i = period; i < sizeof(data); i++)
                        data[i] = data[i - period];
                sizes[k] = deflate_block(d, data, sizeof(data), out, sizeof(out) - DEFLATE_SLACK);
                assert_deflates(d, data, sizeof(data));
        }
        ck_assert_uint_gt(sizes[0], 0);
        ck_assert_uint_lt(sizes[0], 8192);
        ck_assert(sizes[1] == 0 || sizes[1] > 60000);
}
END_TEST

/* The library of this very program has code, text and tables. */
START_TEST(deflate_is_nearly_as_small_as_zlib) {
        _cleanup_(deflate_freep) Deflate *d = NULL;
        _cleanup_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        static unsigned char data[CLUSTER], out[2 * CLUSTER];
        size_t ours = 0, theirs = 0;
        z_stream z = {};

        ck_assert_int_eq(deflate_new(&d), 0);
        ck_assert_int_eq(deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -12, 9, Z_DEFAULT_STRATEGY),
                        Z_OK);
        while (read(fd, data, CLUSTER) == (ssize_t) CLUSTER) {
                size_t n = deflate_block(d, data, CLUSTER, out, CLUSTER - 1);
                ours += n > 0 ? n : CLUSTER;
                ck_assert_int_eq(deflateReset(&z), Z_OK);
                z.next_in = data;
                z.avail_in = CLUSTER;
                z.next_out = out;
                z.avail_out = sizeof(out);
                ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
                theirs += z.total_out;
        }
        deflateEnd(&z);
        ck_assert_uint_gt(theirs, 10000);
        ck_assert_msg(ours * 100 <= theirs * 105, "%zu bytes instead of %zu", ours, theirs);
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
        ck_assert_int_eq(compressor_pack(c, data, length, &p), 0);
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

TEST_MAIN("engine-compress", deflate_is_read_by_the_strictest_reader, codes_are_never_too_long,
                matches_stay_in_the_window, deflate_is_nearly_as_small_as_zlib,
                each_kind_packs_what_it_is_given, threads_do_not_share_their_memory)
