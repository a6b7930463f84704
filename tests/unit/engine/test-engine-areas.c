/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lists of areas against a map of blocks, a copy that writes only areas, and a comparison that finds them. */

#include <fcntl.h>

#include "basic/fd-util.h"
#include "engine/areas.h"
#include "engine/compare.h"
#include "engine/extent-cursor.h"
#include "unit/lib/engine-util.h"

#define BLOCKS 256u
#define TAIL 1000u /* of the last block */
#define SIZE (BLOCKS * EXTENT_BLOCK + TAIL)

/* --- the list -------------------------------------------------------------------------------------- */

static void assert_areas(const Areas *a, const bool map[static BLOCKS + 1]) {
        uint64_t total = 0, at = 0;

        for (size_t i = 0; i < a->n; i++) {
                const Area *x = &a->list[i];

                ck_assert(i == 0 ? x->offset >= at : x->offset > at); /* two that touch are one */
                ck_assert_uint_eq(x->offset % EXTENT_BLOCK, 0);
                at = x->offset + x->length;
                ck_assert(at == SIZE || at % EXTENT_BLOCK == 0);
                for (uint64_t b = x->offset / EXTENT_BLOCK; b * EXTENT_BLOCK < at; b++)
                        ck_assert(map[b]);
        }
        for (size_t b = 0; b <= BLOCKS; b++)
                total += map[b] ? (b == BLOCKS ? TAIL : EXTENT_BLOCK) : 0;
        ck_assert_uint_eq(areas_total(a), total);
}

START_TEST(in_any_order) {
        bool map[BLOCKS + 1] = {};
        _cleanup_areas_ Areas a = { .size = SIZE };
        uint64_t random[600];

        fill_random(random, sizeof(random), (uint64_t) _i + 1);
        for (size_t i = 0; i + 1 < ELEMENTSOF(random); i += 2) {
                uint64_t offset = random[i] % (SIZE + EXTENT_BLOCK),
                         length = random[i + 1] % (3 * EXTENT_BLOCK);

                ck_assert_int_eq(areas_add(&a, offset, length), 0);
                for (uint64_t b = offset / EXTENT_BLOCK; length > 0 && offset < SIZE && b <= BLOCKS &&
                                b * EXTENT_BLOCK < offset + length;
                                b++)
                        map[b] = true;
                if (i % 50 == 0)
                        assert_areas(&a, map);
        }
        assert_areas(&a, map);
}
END_TEST

START_TEST(edges) {
        _cleanup_areas_ Areas a = { .size = SIZE };

        ck_assert_int_eq(areas_add(&a, 0, 0), 0);
        ck_assert_int_eq(areas_add(&a, SIZE, 1), 0);
        ck_assert_int_eq(areas_add(&a, UINT64_MAX, UINT64_MAX), 0);
        ck_assert_uint_eq(a.n, 0);
        ck_assert_int_eq(areas_add(&a, SIZE - 1, UINT64_MAX), 0);
        ck_assert_uint_eq(a.list[0].offset, BLOCKS * EXTENT_BLOCK);
        ck_assert_uint_eq(a.list[0].length, TAIL);
        ck_assert_int_eq(areas_add(&a, 1, 1), 0);
        ck_assert_int_eq(areas_add(&a, EXTENT_BLOCK - 1, 2), 0);
        ck_assert_uint_eq(a.n, 2);
        ck_assert_uint_eq(a.list[0].length, 2 * EXTENT_BLOCK);
        ck_assert_int_eq(areas_add(&a, 0, SIZE), 0);
        ck_assert_uint_eq(a.n, 1);
        ck_assert_uint_eq(areas_total(&a), SIZE);
}
END_TEST

/* A list that is too long has all that was added, and more. */
START_TEST(too_many) {
        _cleanup_areas_ Areas a = { .size = SIZE, .max = 16 };

        for (uint64_t b = 0; b <= BLOCKS; b += 2) {
                ck_assert_int_eq(areas_add(&a, b * EXTENT_BLOCK, 1), 0);
                ck_assert_uint_le(a.n, 16);
        }
        for (uint64_t b = 0; b <= BLOCKS; b += 2) {
                bool found = false;
                for (size_t i = 0; i < a.n; i++)
                        found |= a.list[i].offset <= b * EXTENT_BLOCK &&
                                        b * EXTENT_BLOCK < a.list[i].offset + a.list[i].length;
                ck_assert(found);
        }
}
END_TEST

/* --- copies ---------------------------------------------------------------------------------------- */

static void put(const char *path, uint64_t offset, size_t size, int value) {
        _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
        _cleanup_free_ char *data = malloc(size);

        memset(data, value, size);
        ck_assert_int_eq(pwrite_full(fd, data, size, offset), 0);
}

static int add_difference(uint64_t offset, uint64_t length, void *userdata) {
        return areas_add(userdata, offset, length);
}

typedef struct Disks {
        char *dir, *source, *image;
        Server servers[2];
} Disks;

static void disks_done(Disks *d) {
        server_done(&d->servers[0]);
        server_done(&d->servers[1]);
        free(d->source);
        free(d->image);
        test_dir_freep(&d->dir);
}

/* Two disks that are the same, behind servers. */
static Disks two_disks(void) {
        Disks d = { .dir = test_dir() };

        d.source = strprintf("%s/a.raw", d.dir);
        d.image = strprintf("%s/b.raw", d.dir);
        make_disk(d.source, SIZE);
        RUN_OK("cp", "--sparse=always", d.source, d.image);
        d.servers[0] = SERVE_NBDKIT(d.dir, "a", "-r", "file", d.source);
        d.servers[1] = SERVE_NBDKIT(d.dir, "b", "file", d.image);
        return d;
}

static void copy_areas(const Disks *d, const Areas *areas, CopyProgress *ret) {
        Endpoint *below = open_nbd(d->servers[0].socket, 0, "a");
        _cleanup_endpoint_ Endpoint *image = open_nbd(d->servers[1].socket, NBD_DESTINATION, "b"),
                                    *source = NULL;
        const CopyOptions options = { .keep_zeroes = true, .size = SIZE, .cancel_fd = -1 };
        _cleanup_free_ char *error = NULL;

        ck_assert_int_eq(endpoint_areas_new(below, areas, &source), 0);
        int r = copy_run(source, image, NULL, 0, &options, ret, &error);
        ck_assert_msg(r == 0, "%s", strempty(error));
}

static int compare(const Disks *d, Areas *differences, uint64_t *ret_offset) {
        _cleanup_endpoint_ Endpoint *a = open_nbd(d->servers[0].socket, 0, "a"),
                                    *b = open_nbd(d->servers[1].socket, 0, "b");
        const CopyOptions options = { .cancel_fd = -1 };
        const CompareMode mode = { .difference = add_difference,
                .userdata = differences,
                .data = COMPARE_ALL,
                .zeroes = COMPARE_ALL };
        _cleanup_free_ char *error = NULL;

        return compare_disks(a, b, &options, &mode, NULL, ret_offset, &error);
}

/* Data, zeroes and the end of the disk are written where an area is; the rest stays as it is. */
START_TEST(only_areas_are_written) {
        _cleanup_(disks_done) Disks d = two_disks();
        _cleanup_areas_ Areas areas = { .size = SIZE };
        CopyProgress p;

        put(d.source, 3 * EXTENT_BLOCK + 5, 100, 7);
        put(d.source, 20 * EXTENT_BLOCK, 2 * EXTENT_BLOCK, 0);
        put(d.source, SIZE - 10, 10, 7);
        RUN_OK("cp", "--sparse=always", d.source, d.image);
        put(d.image, 3 * EXTENT_BLOCK, EXTENT_BLOCK, 1);
        put(d.image, 20 * EXTENT_BLOCK, 2 * EXTENT_BLOCK, 1);
        put(d.image, SIZE - TAIL, TAIL, 1);
        ck_assert_int_eq(areas_add(&areas, 3 * EXTENT_BLOCK, 1), 0);
        ck_assert_int_eq(areas_add(&areas, 20 * EXTENT_BLOCK, 2 * EXTENT_BLOCK), 0);
        ck_assert_int_eq(areas_add(&areas, SIZE - 1, 1), 0);
        copy_areas(&d, &areas, &p);
        assert_same_file(d.source, d.image);
        ck_assert_uint_eq(p.bytes_read, areas_total(&areas));

        /* What is in no area stays. */
        put(d.image, 50 * EXTENT_BLOCK, 1, (int) 'x');
        put(d.image, 7 * 128 * KIB, 1, (int) 'x'); /* a hole of the source */
        copy_areas(&d, &areas, &p);
        _cleanup_areas_ Areas differences = { .size = SIZE };
        uint64_t offset;
        ck_assert_int_eq(compare(&d, &differences, &offset), 0);
        ck_assert_uint_eq(offset, 7 * 128 * KIB);
        ck_assert_uint_eq(differences.n, 2);
        ck_assert_uint_eq(differences.list[1].offset, 50 * EXTENT_BLOCK);
        ck_assert_uint_eq(areas_total(&differences), 2 * EXTENT_BLOCK);
        copy_areas(&d, &differences, &p);
        assert_same_file(d.source, d.image);
        _cleanup_areas_ Areas none = { .size = SIZE };
        ck_assert_int_eq(compare(&d, &none, &offset), 1);
        ck_assert_uint_eq(none.n, 0);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("engine-areas");

        tcase_set_timeout(tcase, 60);
        tcase_add_loop_test(tcase, in_any_order, 0, 20);
        tcase_add_test(tcase, edges);
        tcase_add_test(tcase, too_many);
        tcase_add_test(tcase, only_areas_are_written);
        return test_run("engine-areas", tcase);
}
