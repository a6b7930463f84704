/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The engine's smaller parts: checkpoints, the part directory, extents, tables, rate. */

#include <fcntl.h>
#include <sys/stat.h>

#include "basic/fd-util.h"
#include "basic/zero.h"
#include "engine/extent-cursor.h"
#include "engine/qcow2-layout.h"
#include "engine/rate.h"
#include "unit/lib/engine-util.h"

/* --- checkpoints
 * ---------------------------------------------------------------------------------------------- */

START_TEST(a_checkpoint_reads_as_it_was_written) {
        const Checkpoint c = { .source = (char *) "/srv/\"ä\"\\.vmdk inode 7",
                .size = INT64_MAX,
                .destination = (char *) "qcow2 compress",
                .watermark = 65536,
                .state = { 131072, 70000 },
                .image_inode = UINT64_MAX };
        _cleanup_free_ char *text = checkpoint_encode(&c);
        _cleanup_(checkpoint_freep) Checkpoint *d = NULL;

        ck_assert_ptr_nonnull(text);
        ck_assert_int_eq(checkpoint_decode(text, strlen(text), &d), 0);
        ck_assert_str_eq(d->source, c.source);
        ck_assert_str_eq(d->destination, c.destination);
        ck_assert_uint_eq(d->size, c.size);
        ck_assert_uint_eq(d->watermark, c.watermark);
        ck_assert_uint_eq(d->state[0], c.state[0]);
        ck_assert_uint_eq(d->state[1], c.state[1]);
        ck_assert_uint_eq(d->image_inode, c.image_inode);

        CheckpointIdentity id = { .source = c.source, .size = c.size, .destination = c.destination };
        ck_assert(checkpoint_matches(d, &id, UINT64_MAX));
        ck_assert(!checkpoint_matches(d, &id, 1));
        id.size--;
        ck_assert(!checkpoint_matches(d, &id, UINT64_MAX));
}
END_TEST

#define FIELDS(version, size, watermark, state, inode)                                                    \
        "{\"version\":" version ",\"source\":\"s\",\"size\":" size                                        \
        ",\"destination\":\"raw\",\"watermark\":" watermark ",\"state\":" state ",\"image_inode\":" inode \
        "}"

START_TEST(a_checkpoint_that_makes_no_sense_is_refused) {
        const char *good = FIELDS("1", "10", "10", "[0,0]", "\"1\"");
        const char *bad[] = {
                "",
                "{}",
                "[]",
                "null",
                "{",
                "\xff",
                FIELDS("2", "10", "10", "[0,0]", "\"1\""),
                FIELDS("0", "10", "10", "[0,0]", "\"1\""),
                FIELDS("\"1\"", "10", "10", "[0,0]", "\"1\""),
                FIELDS("1", "10", "11", "[0,0]", "\"1\""),
                FIELDS("1", "-1", "0", "[0,0]", "\"1\""),
                FIELDS("1", "10", "-1", "[0,0]", "\"1\""),
                FIELDS("1", "9223372036854775808", "0", "[0,0]", "\"1\""),
                FIELDS("1", "1e3", "0", "[0,0]", "\"1\""),
                FIELDS("1", "10", "0", "[0]", "\"1\""),
                FIELDS("1", "10", "0", "[0,0,0]", "\"1\""),
                FIELDS("1", "10", "0", "[0,-1]", "\"1\""),
                FIELDS("1", "10", "0", "{}", "\"1\""),
                FIELDS("1", "10", "0", "[0,0]", "1"),
                FIELDS("1", "10", "0", "[0,0]", "\"\""),
                FIELDS("1", "10", "0", "[0,0]", "\"-1\""),
                FIELDS("1", "10", "0", "[0,0]", "\"1\",\"more\":1"),
                FIELDS("1", "10", "0", "[0,0]", "\"1\"") " x",
                ("{\"version\":1,\"source\":\"a\\u0000b\",\"size\":1,\"destination\":\"raw\",\"watermark\":"
                 "0,"
                 "\"state\":[0,0],\"image_inode\":\"1\"}"),
        };
        Checkpoint *c = NULL;

        ck_assert_int_eq(checkpoint_decode(good, strlen(good), &c), 0);
        checkpoint_free(c);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(checkpoint_decode(bad[i], strlen(bad[i]), &c) == -EBADMSG, "%s", bad[i]);
}
END_TEST

/* --- the part directory
 * ------------------------------------------------------------------------------------------ */

static const CheckpointIdentity identity = { .source = "s", .size = MIB, .destination = "raw" };

static int open_part(const char *dir, unsigned flags, Part **ret) {
        _cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_free_ char *error = NULL;

        int r = part_open(fd, &identity, flags, ret, &error);
        ck_assert((r < 0) == (error != NULL));
        return r;
}

START_TEST(a_part_has_one_writer) {
        for (unsigned flags = 0; flags <= PART_OWN_IMAGE; flags += PART_OWN_IMAGE) {
                _cleanup_test_dir_ char *dir = test_dir();
                Part *p = NULL, *q = NULL;

                ck_assert_int_eq(open_part(dir, flags, &p), 0);
                ck_assert_int_eq(open_part(dir, flags, &q), -EBUSY);
                part_close(p);
                ck_assert_int_eq(open_part(dir, flags, &q), 0);
                part_close(q);
        }
}
END_TEST

START_TEST(a_part_follows_nothing) {
        _cleanup_test_dir_ char *dir = test_dir(), *other = test_dir();
        _cleanup_free_ char *image = strprintf("%s/image", dir), *victim = strprintf("%s/victim", other),
                            *checkpoint = strprintf("%s/checkpoint", dir);
        Part *p = NULL;

        make_disk(victim, MIB);
        ck_assert_int_eq(symlink(victim, image), 0);
        ck_assert_int_eq(open_part(dir, PART_OWN_IMAGE, &p), -ELOOP);
        ck_assert_int_eq(unlink(image), 0);
        ck_assert_int_eq(link(victim, image), 0);
        ck_assert_int_eq(open_part(dir, PART_OWN_IMAGE, &p), -EMLINK);
        ck_assert_int_eq(unlink(image), 0);
        ck_assert_int_eq(mkfifo(image, 0600), 0);
        ck_assert_int_eq(open_part(dir, PART_OWN_IMAGE, &p), -EBADFD);
        ck_assert_int_eq(unlink(image), 0);

        ck_assert_int_eq(symlink(victim, checkpoint), 0);
        ck_assert_int_eq(open_part(dir, PART_OWN_IMAGE, &p), -ELOOP);
        ck_assert_int_eq(unlink(checkpoint), 0);
        ck_assert_int_eq(mkfifo(checkpoint, 0600), 0);
        ck_assert_int_eq(open_part(dir, PART_OWN_IMAGE, &p), -EBADFD);
}
END_TEST

START_TEST(a_part_remembers_until_it_is_reset) {
        _cleanup_test_dir_ char *dir = test_dir();
        const uint64_t state[2] = { 65536, 1 };
        Part *p = NULL;

        ck_assert_int_eq(open_part(dir, PART_OWN_IMAGE, &p), 0);
        ck_assert_uint_eq(part_watermark(p), 0);
        ck_assert_int_eq(part_save(p, 131072, state), 0);
        p = part_close(p);
        ck_assert_int_eq(open_part(dir, PART_OWN_IMAGE, &p), 0);
        ck_assert_uint_eq(part_watermark(p), 131072);
        ck_assert_uint_eq(part_state(p)[0], 65536);
        ck_assert_uint_eq(part_state(p)[1], 1);
        ck_assert_int_eq(part_reset(p), 0);
        p = part_close(p);
        ck_assert_int_eq(open_part(dir, PART_OWN_IMAGE, &p), 0);
        ck_assert_uint_eq(part_watermark(p), 0);
        part_close(p);
}
END_TEST

START_TEST(another_image_is_not_gone_on_with) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *image = strprintf("%s/image", dir), *old = strprintf("%s/old", dir);
        const uint64_t state[2] = {};

        for (unsigned flags = 0; flags <= PART_OWN_IMAGE; flags += PART_OWN_IMAGE) {
                Part *p = NULL;

                make_disk(image, MIB);
                ck_assert_int_eq(open_part(dir, flags, &p), 0);
                ck_assert_int_eq(part_save(p, 131072, state), 0);
                p = part_close(p);
                ck_assert_int_eq(rename(image, old), 0); /* keeps its inode from being used again */
                make_disk(image, MIB);
                ck_assert_int_eq(open_part(dir, flags, &p), 0);
                ck_assert_uint_eq(part_watermark(p), 0);
                part_close(p);
        }
}
END_TEST

/* --- extents
 * -------------------------------------------------------------------------------------------------- */

typedef struct FakeDisk {
        Endpoint endpoint;
        const Extent *extents; /* of the whole disk */
        uint64_t most; /* told at a time */
} FakeDisk;

static int fake_extents(
                Endpoint *e, uint64_t offset, uint64_t length, EndpointExtentsDone done, void *userdata) {
        const FakeDisk *d = CONTAINER_OF(e, FakeDisk, endpoint);
        const Extent *x = d->extents;

        for (; offset >= x->length; x++)
                offset -= x->length;
        const Extent part = { .length = MIN(MIN(x->length - offset, length), d->most), .zero = x->zero };
        done(userdata, &part, 1, 0);
        return 0;
}

static void assert_runs(const Extent *extents, uint64_t size, uint64_t end, const Extent *expected) {
        static const EndpointOps ops = { .name = "fake", .extents = fake_extents };
        FakeDisk d = { .endpoint = { .ops = &ops, .size = size, .label = (char *) "fake" },
                .extents = extents };
        const uint64_t most[] = { UINT64_MAX, 65536, 1000 };

        for (size_t i = 0; i < ELEMENTSOF(most); i++) {
                const Extent *want = expected;
                uint64_t left = want->length;
                ExtentCursor c;
                Extent x;

                d.most = most[i];
                extent_cursor_init(&c, &d.endpoint, 0, end);
                for (;;) {
                        int r = extent_cursor_prefetch(&c);
                        ck_assert_int_eq(r, 0);
                        r = extent_cursor_peek(&c, &x);
                        ck_assert_int_ge(r, 0);
                        if (r == 0)
                                continue;
                        if (x.length == 0)
                                break;
                        ck_assert_int_eq(x.zero, want->zero);
                        ck_assert_uint_le(x.length, left);
                        extent_cursor_advance(&c, x.length);
                        left -= x.length;
                        if (left == 0)
                                left = (++want)->length;
                }
                ck_assert_uint_eq(want->length, 0);
                extent_cursor_done(&c);
        }
}

START_TEST(extents_come_in_whole_blocks) {
        enum { B = EXTENT_BLOCK };

        assert_runs((Extent[]){ { 3 * B, false } }, 3 * B, 3 * B, (Extent[]){ { 3 * B, false }, {} });
        assert_runs((Extent[]){ {} }, 0, 0, (Extent[]){ {} });
        assert_runs((Extent[]){ { B, true }, { 1, false }, { 3 * B - 1, true } }, 4 * B, 4 * B,
                        (Extent[]){ { B, true }, { B, false }, { 2 * B, true }, {} });
        /* Data around a border takes both blocks; zeroes that fill no block are read. */
        assert_runs((Extent[]){ { B - 1, true }, { 2, false }, { B - 2, true }, { B / 2, true },
                                    { B / 2 + 1, false } },
                        3 * B, 3 * B, (Extent[]){ { 3 * B, false }, {} });
        /* A broken last block, and a walk that goes on behind the disk. */
        assert_runs((Extent[]){ { 2 * B + 100, true } }, 2 * B + 100, 2 * B + 100,
                        (Extent[]){ { 2 * B + 100, true }, {} });
        assert_runs((Extent[]){ { B, true }, { 100, false } }, B + 100, B + 100,
                        (Extent[]){ { B, true }, { 100, false }, {} });
        assert_runs((Extent[]){ { 100, false } }, 100, 5 * B + 7,
                        (Extent[]){ { B, false }, { 4 * B + 7, true }, {} });
}
END_TEST

/* --- qcow2
 * ---------------------------------------------------------------------------------------------------- */

START_TEST(the_layout_has_room_for_the_largest_image) {
        const uint64_t sizes[] = { 0, 1, GIB, 16 * TIB, 64 * TIB, QCOW2_SIZE_MAX };
        Qcow2Layout l;

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                ck_assert_int_eq(qcow2_layout(sizes[i], &l), 0);
                ck_assert_uint_ge(l.l1_entries * QCOW2_L2_COVERS, sizes[i]);
                ck_assert_uint_eq(l.data % QCOW2_CLUSTER, 0);

                uint64_t clusters = l.data / QCOW2_CLUSTER + sizes[i] / QCOW2_CLUSTER + 1 + l.l1_entries;
                uint64_t blocks = clusters / (QCOW2_REFCOUNTS - 1) + 1; /* each leaves out itself */
                ck_assert_uint_ge(l.refcount_table_clusters * QCOW2_CLUSTER / 8, blocks);
                ck_assert_uint_le(l.refcount_table_clusters * QCOW2_CLUSTER, 8 * MIB); /* qemu's limits */
                ck_assert_uint_le(l.l1_entries * 8, 32 * MIB);
        }
        ck_assert_int_eq(qcow2_layout(QCOW2_SIZE_MAX + 1, &l), -EFBIG);
        ck_assert_int_eq(qcow2_layout(UINT64_MAX, &l), -EFBIG);
}
END_TEST

START_TEST(entries_name_the_clusters_they_touch) {
        uint64_t first, last;

        ck_assert_int_eq(qcow2_entry_clusters(0, &first, &last), 0);
        ck_assert_int_eq(qcow2_entry_clusters(QCOW2_COPIED | (5 * QCOW2_CLUSTER), &first, &last), 1);
        ck_assert_uint_eq(first, 5);
        ck_assert_uint_eq(last, 5);
        ck_assert_int_eq(qcow2_entry_clusters(qcow2_compressed_entry(6 * QCOW2_CLUSTER - 100, 101), &first,
                                         &last),
                        1);
        ck_assert_uint_eq(first, 5);
        ck_assert_uint_eq(last, 6);
        ck_assert_int_eq(qcow2_entry_clusters(qcow2_compressed_entry(6 * QCOW2_CLUSTER - 100, 100), &first,
                                         &last),
                        1);
        ck_assert_uint_eq(last, 5);

        const uint64_t bad[] = { 1, 5 * QCOW2_CLUSTER, QCOW2_COPIED, QCOW2_COPIED | 512,
                QCOW2_COPIED | 65537, QCOW2_COPIED | QCOW2_COMPRESSED | 65536,
                QCOW2_COPIED | (UINT64_C(1) << 57) };
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_int_eq(qcow2_entry_clusters(bad[i], &first, &last), -EBADMSG);
}
END_TEST

/* --- and the rest
 * --------------------------------------------------------------------------------------------- */

START_TEST(the_rate_is_that_of_the_last_seconds) {
        RateMeter m = {};

        ck_assert_uint_eq(rate_meter_update(&m, 0, 0), 0);
        ck_assert_uint_eq(rate_meter_update(&m, USEC_PER_SEC, 100), 100);
        for (usec_t t = 2; t <= 60; t++)
                (void) rate_meter_update(&m, t * USEC_PER_SEC, 100 + t * 1000);
        ck_assert_uint_eq(rate_meter_update(&m, 61 * USEC_PER_SEC, 100 + 61000), 1000);
        for (usec_t t = 62; t <= 80; t++)
                (void) rate_meter_update(&m, t * USEC_PER_SEC, 100 + 61000);
        ck_assert_uint_eq(rate_meter_update(&m, 81 * USEC_PER_SEC, 100 + 61000), 0);
}
END_TEST

START_TEST(zeroes_are_told_from_nearly_zeroes) {
        char data[4096] = {};

        ck_assert(memory_is_zero(data, 0));
        ck_assert(memory_is_zero(data, 1));
        ck_assert(memory_is_zero(data, sizeof(data)));
        for (size_t i = 0; i < sizeof(data); i += 1365) {
                data[i] = 1;
                ck_assert(!memory_is_zero(data, sizeof(data)));
                data[i] = 0;
        }
}
END_TEST

TEST_MAIN("engine-parts", a_checkpoint_reads_as_it_was_written, a_checkpoint_that_makes_no_sense_is_refused,
                a_part_has_one_writer, a_part_follows_nothing, a_part_remembers_until_it_is_reset,
                another_image_is_not_gone_on_with, extents_come_in_whole_blocks,
                the_layout_has_room_for_the_largest_image, entries_name_the_clusters_they_touch,
                the_rate_is_that_of_the_last_seconds, zeroes_are_told_from_nearly_zeroes)
