/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <zlib.h>

#include "basic/string-util.h"
#include "job/decode-threads.h"
#include "unit/lib/test.h"

#define ROUNDS 50U

typedef struct Batch {
        char compressed[VMDK_BATCH_MAX][2 * VMDK_GRAIN_SIZE];
        char data[VMDK_BATCH_MAX][VMDK_GRAIN_SIZE];
        VmdkGrain grains[VMDK_BATCH_MAX];
} Batch;

/* Each grain is different; the one with the number @damaged has a wrong checksum, that with @zero is
 * empty. */
static void make_batch(Batch *b, unsigned round, size_t n, size_t damaged, size_t zero) {
        _cleanup_free_ char *plain = malloc(VMDK_GRAIN_SIZE);

        for (size_t i = 0; i < n; i++) {
                uLongf size = sizeof(b->compressed[i]);

                for (size_t k = 0; k < VMDK_GRAIN_SIZE; k++)
                        plain[k] = (char) (i == zero ? 0 : (k / 7 + i + round) * (k % 13));
                ck_assert_int_eq(compress((Bytef *) b->compressed[i], &size, (Bytef *) plain,
                                                 VMDK_GRAIN_SIZE),
                                Z_OK);
                if (i == damaged)
                        b->compressed[i][size - 1] ^= 0x55; /* of the checksum */
                b->grains[i] = (VmdkGrain){
                        .offset = i * VMDK_GRAIN_SIZE,
                        .size = VMDK_GRAIN_SIZE,
                        .compressed = b->compressed[i],
                        .compressed_size = size,
                        .data = b->data[i],
                };
        }
}

static void assert_batch(const Batch *b, unsigned round, size_t n, size_t damaged, size_t zero) {
        for (size_t i = 0; i < n; i++) {
                int expected = i == zero ? VMDK_GRAIN_ZERO : VMDK_GRAIN_DATA;

                ck_assert_int_eq(b->grains[i].state, i == damaged ? VMDK_GRAIN_DAMAGED : expected);
                for (size_t k = 0; i != damaged && k < VMDK_GRAIN_SIZE; k++)
                        if (b->data[i][k] != (char) (i == zero ? 0 : (k / 7 + i + round) * (k % 13)))
                                ck_abort_msg("grain %zu differs at byte %zu", i, k);
        }
}

/* With any number of threads and grains. */
START_TEST(all_grains_are_decompressed) {
        _cleanup_(decode_threads_freep) DecodeThreads *t = NULL;
        _cleanup_free_ Batch *b = malloc(sizeof(Batch));

        ck_assert_int_eq(decode_threads_new((unsigned) _i, &t), 0);
        for (unsigned round = 0; round < ROUNDS; round++) {
                size_t n = round % VMDK_BATCH_MAX + 1;

                make_batch(b, round, n, round % 5, round % 7);
                decode_threads_inflate(t, b->grains, n);
                assert_batch(b, round, n, round % 5, round % 7);
        }
}
END_TEST

START_TEST(unused_threads_end) {
        DecodeThreads *t = NULL;

        ck_assert_int_eq(decode_threads_new(DECODE_THREADS_MAX, &t), 0);
        decode_threads_free(t);
        decode_threads_free(NULL);
}
END_TEST

int main(void) {
        const TTest *const tests[] = { unused_threads_end };
        TCase *tcase = test_case("job-decode-threads", 60, tests, ELEMENTSOF(tests));

        tcase_add_loop_test(tcase, all_grains_are_decompressed, 0, DECODE_THREADS_MAX + 1);
        return test_run("job-decode-threads", tcase);
}
