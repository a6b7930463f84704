/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whole copies from real servers, judged byte by byte.
 *
 * check: all */

#include <fcntl.h>
#include <sys/stat.h>

#include "basic/fd-util.h"
#include "engine/compare.h"
#include "engine/endpoint-null.h"
#include "unit/lib/engine-util.h"

/* nbdkit serves a size to the byte; qemu-nbd in whole sectors. */
static const uint64_t sizes[] = { 0, 1, 512, 513, 65535, 65536, 65537, 1048576, 1048576 + 513,
        5 * 1048576 + 65536 };

static void copy_all_sizes(const char *format) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *disk = strprintf("%s/disk.raw", dir), *part = strprintf("%s/part", dir),
                            *image = strprintf("%s/part/image", dir);

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                make_disk(disk, sizes[i]);
                _cleanup_server_ Server s = SERVE_NBDKIT(dir, "s", "-r", "file", disk);
                _cleanup_copy_ TestCopy t = TEST_COPY(part, format, s.socket);

                int r = test_copy(&t);
                ck_assert_msg(r == 0, "%" PRIu64 " bytes: %s", sizes[i], strna(t.error));
                ck_assert_uint_eq(t.progress.position, sizes[i]);
                ck_assert_uint_eq(t.progress.total, sizes[i]);
                if (streq(format, "raw"))
                        assert_same_file(disk, image);
                else
                        assert_good_qcow2(image, disk);
        }
}

START_TEST(raw_is_exact_for_every_size) {
        copy_all_sizes("raw");
}
END_TEST

START_TEST(qcow2_is_exact_and_sound_for_every_size) {
        copy_all_sizes("qcow2");
}
END_TEST

START_TEST(compressed_qcow2_is_exact_and_sound_for_every_size) {
        copy_all_sizes("qcow2 compress");
}
END_TEST

START_TEST(zstd_qcow2_is_exact_and_sound_for_every_size) {
        copy_all_sizes("qcow2 zstd");
}
END_TEST

START_TEST(zeroes_stay_holes) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *part = strprintf("%s/part", dir), *image = strprintf("%s/part/image", dir);
        struct stat st;

        /* The server knows of no holes, so all zeroes come as data. */
        _cleanup_server_ Server s = SERVE_NBDKIT(dir, "s", "-r", "--filter=noextents", "data", "size=64M",
                        "data=@1048576 1 @34603008 2");
        _cleanup_copy_ TestCopy t = TEST_COPY(part, "raw", s.socket);
        ck_assert_int_eq(test_copy(&t), 0);
        ck_assert_uint_eq(t.progress.bytes_read, 64 * MIB);
        ck_assert_int_eq(stat(image, &st), 0);
        ck_assert_int_eq(st.st_size, 64 * MIB);
        ck_assert_int_le(st.st_blocks * 512, 256 * KIB);

        _cleanup_copy_ TestCopy q = TEST_COPY(part, "qcow2", s.socket);
        ck_assert_int_eq(test_copy(&q), 0);
        ck_assert_int_eq(stat(image, &st), 0);
        ck_assert_int_le(st.st_size, 8 * 65536);
}
END_TEST

START_TEST(holes_are_not_read) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *part = strprintf("%s/part", dir);

        _cleanup_server_ Server s = SERVE_NBDKIT(dir, "s", "-r", "data", "size=1G", "data=@536870912 1");
        _cleanup_copy_ TestCopy t = TEST_COPY(part, "raw", s.socket);
        ck_assert_int_eq(test_copy(&t), 0);
        ck_assert_uint_le(t.progress.bytes_read, MIB);
        ck_assert_uint_eq(t.progress.bytes_read + t.progress.bytes_zero, GIB);
}
END_TEST

START_TEST(terabytes_of_nothing_are_quick) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *part = strprintf("%s/part", dir), *image = strprintf("%s/part/image", dir);
        const char *formats[] = { "raw", "qcow2" };
        struct stat st;

        _cleanup_server_ Server s = SERVE_NBDKIT(dir, "s", "-r", "data", "size=8T",
                        "data=1 @535822336 2 @536870912 3 @4398046511104 4 @8796093022207 5");
        for (size_t i = 0; i < ELEMENTSOF(formats); i++) {
                _cleanup_copy_ TestCopy t = TEST_COPY(part, formats[i], s.socket);
                ck_assert_int_eq(test_copy(&t), 0);
                ck_assert_int_eq(stat(image, &st), 0);
                ck_assert_int_le(st.st_blocks * 512, 16 * MIB);

                _cleanup_server_ Server d = SERVE_QEMU(dir, "d", formats[i], "-r", image);
                _cleanup_endpoint_ Endpoint *a = open_nbd(s.socket, 0, "a"), *b = open_nbd(d.socket, 0, "b");
                _cleanup_free_ char *error = NULL;
                const CopyOptions o = { .cancel_fd = -1 };
                uint64_t offset = 0;
                ck_assert_int_eq(compare_run(a, b, &o, &offset, &error), 1);
        }
        ck_assert_int_eq(run_program("qemu-img", "check", image, NULL), 0);
}
END_TEST

START_TEST(several_servers_share_the_work) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *disk = strprintf("%s/disk.raw", dir), *vmdk = strprintf("%s/disk.vmdk", dir),
                            *part = strprintf("%s/part", dir), *image = strprintf("%s/part/image", dir);

        make_disk(disk, 32 * MIB);
        RUN_OK("qemu-img", "convert", "-O", "vmdk", "-o", "subformat=streamOptimized", disk, vmdk);
        _cleanup_server_ Server s1 = SERVE_QEMU(dir, "s1", "vmdk", "-r", vmdk),
                                s2 = SERVE_QEMU(dir, "s2", "vmdk", "-r", vmdk),
                                s3 = SERVE_QEMU(dir, "s3", "vmdk", "-r", vmdk);
        _cleanup_copy_ TestCopy t = TEST_COPY(part, "qcow2", s1.socket, s2.socket, s3.socket);
        ck_assert_int_eq(test_copy(&t), 0);
        assert_good_qcow2(image, disk);
}
END_TEST

START_TEST(servers_of_different_disks_are_refused) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *part = strprintf("%s/part", dir);

        _cleanup_server_ Server s1 = SERVE_NBDKIT(dir, "s1", "memory", "1M"),
                                s2 = SERVE_NBDKIT(dir, "s2", "memory", "2M");
        _cleanup_copy_ TestCopy t = TEST_COPY(part, "raw", s1.socket, s2.socket);
        ck_assert_int_eq(test_copy(&t), -EPROTO);
        ck_assert_ptr_nonnull(strstr(t.error, "do not serve the same disk"));
}
END_TEST

static void assert_pays(const char *format) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *disk = strprintf("%s/disk.raw", dir), *part = strprintf("%s/part", dir),
                            *image = strprintf("%s/part/image", dir), *text = malloc(8 * MIB);
        _cleanup_close_ int fd = open(disk, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        struct stat st;

        for (size_t i = 0; i < 8 * MIB; i++)
                text[i] = "Lorem ipsum dolor sit amet, consectetur. "[(i + i / 1000) % 41];
        ck_assert_int_eq(pwrite_full(fd, text, 8 * MIB, 0), 0);
        fill_random(text, MIB, 7);
        ck_assert_int_eq(pwrite_full(fd, text, MIB, 8 * MIB), 0);
        ck_assert_int_eq(ftruncate(fd, 16 * MIB), 0);

        _cleanup_server_ Server s = SERVE_NBDKIT(dir, "s", "-r", "file", disk);
        _cleanup_copy_ TestCopy t = TEST_COPY(part, format, s.socket);
        ck_assert_int_eq(test_copy(&t), 0);
        assert_good_qcow2(image, disk);
        ck_assert_int_eq(stat(image, &st), 0);
        ck_assert_int_le(st.st_size,
                        2 * MIB); /* the random megabyte as it is, next to nothing for the rest */
        ck_assert_int_ge(st.st_size, MIB);
}

START_TEST(compression_pays_where_it_can) {
        assert_pays("qcow2 compress");
        assert_pays("qcow2 zstd");
}
END_TEST

/* --- several at a time
 * ---------------------------------------------------------------------------------------- */

typedef struct Beside {
        Endpoint *source, *destination;
        Part *part;
        Copy *copy;
        char *error;
} Beside;

static void beside_begin(Beside *b, const char *dir, const char *name, const char *socket_path,
                const CopyOptions *o) {
        _cleanup_free_ char *path = strprintf("%s/%s", dir, name);
        uint64_t watermark = 0;

        b->source = open_nbd(socket_path, 0, "source");
        const CheckpointIdentity id = { .source = name, .size = b->source->size, .destination = "raw" };
        ck_assert_int_eq(mkdir(path, 0700), 0);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_eq(part_open(fd, &id, PART_OWN_IMAGE, &b->part, &b->error), 0);
        ck_assert_int_eq(part_open_endpoint(b->part, "raw", COMPRESSION_NONE, "destination", &b->destination,
                                         &watermark, &b->error),
                        0);
        ck_assert_int_eq(copy_new(b->source, b->destination, b->part, 0, o, &b->copy, &b->error), 0);
}

static void beside_end(Beside *b) {
        copy_free(b->copy);
        endpoint_free(b->source);
        endpoint_free(b->destination);
        part_close(b->part);
        free(b->error);
}

/* Both move before one is finished. */
START_TEST(two_copies_go_on_side_by_side) {
        _cleanup_test_dir_ char *dir = test_dir();
        const CopyOptions o = { .cancel_fd = -1, .request_size = 65536, .requests = 2 };
        Beside b[2] = {};
        int r[2] = { 1, 1 };

        _cleanup_server_ Server s1 =
                        SERVE_NBDKIT(dir, "1", "--filter=delay", "pattern", "8M", "delay-read=1ms");
        _cleanup_server_ Server s2 =
                        SERVE_NBDKIT(dir, "2", "--filter=delay", "pattern", "9M", "delay-read=1ms");
        beside_begin(&b[0], dir, "a", s1.socket, &o);
        beside_begin(&b[1], dir, "b", s2.socket, &o);
        while (r[0] > 0 && r[1] > 0) {
                Copy *const both[] = { b[0].copy, b[1].copy };
                for (size_t i = 0; i < 2; i++)
                        r[i] = copy_step(b[i].copy, &b[i].error);
                if (r[0] > 0 && r[1] > 0)
                        ck_assert_int_eq(copies_wait(both, 2, -1), 0);
        }
        for (size_t i = 0; i < 2; i++) {
                ck_assert_int_ge(r[i], 0);
                ck_assert_uint_gt(copy_progress(b[i].copy)->position, MIB);
        }
        for (size_t i = 0; i < 2; i++) {
                while (r[i] > 0) {
                        ck_assert_int_eq(copies_wait(&b[i].copy, 1, -1), 0);
                        r[i] = copy_step(b[i].copy, &b[i].error);
                }
                ck_assert_int_eq(r[i], 0);
                ck_assert_uint_eq(copy_progress(b[i].copy)->position, (8 + i) * MIB);
                beside_end(&b[i]);
        }
}
END_TEST

START_TEST(an_interrupted_copy_can_be_gone_on_with) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *part = strprintf("%s/a", dir);
        const CopyOptions o = { .cancel_fd = -1, .request_size = 65536, .requests = 2 };
        Beside b = {};

        _cleanup_server_ Server s =
                        SERVE_NBDKIT(dir, "1", "--filter=delay", "pattern", "64M", "delay-read=1ms");
        beside_begin(&b, dir, "a", s.socket, &o);
        while (copy_progress(b.copy)->position < 2 * MIB) {
                ck_assert_int_eq(copy_step(b.copy, &b.error), 1);
                ck_assert_int_eq(copies_wait(&b.copy, 1, -1), 0);
        }
        copy_interrupt(b.copy);
        ck_assert_uint_ge(saved_watermark(part), 2 * MIB);
        beside_end(&b);
}
END_TEST

/* --- NBD destinations
 * ---------------------------------------------------------------------------------------- */

static int copy_to_nbd(const char *source, const char *destination, unsigned flags, char **ret_error) {
        _cleanup_endpoint_ Endpoint *s = open_nbd(source, 0, "source"),
                                    *d = open_nbd(destination, NBD_DESTINATION | flags, "destination");
        const CopyOptions o = { .cancel_fd = -1 };

        return copy_run(s, d, NULL, 0, &o, NULL, ret_error);
}

static void assert_same_disk(const char *a_socket, const char *b_socket) {
        _cleanup_endpoint_ Endpoint *a = open_nbd(a_socket, 0, "a"), *b = open_nbd(b_socket, 0, "b");
        const CopyOptions o = { .cancel_fd = -1 };
        _cleanup_free_ char *error = NULL;
        uint64_t offset = 0;

        int r = compare_run(a, b, &o, &offset, &error);
        ck_assert_msg(r == 1, "%d at %" PRIu64 ": %s", r, offset, strna(error));
}

START_TEST(an_nbd_destination_is_overwritten_whatever_was_there) {
        const char *filters[] = { "--filter=nofilter", "--filter=nozero", "--filter=noextents" };
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *disk = strprintf("%s/disk.raw", dir), *old = strprintf("%s/old.raw", dir),
                            *garbage = malloc(6 * MIB);

        make_disk(disk, 5 * MIB + 65536);
        fill_random(garbage, 6 * MIB, 99);
        for (size_t i = 0; i < ELEMENTSOF(filters); i++) {
                _cleanup_close_ int fd = open(old, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
                _cleanup_free_ char *error = NULL;

                ck_assert_int_eq(pwrite_full(fd, garbage, 6 * MIB, 0), 0);
                _cleanup_server_ Server s = SERVE_NBDKIT(dir, "s", "-r", "file", disk),
                                        d = SERVE_NBDKIT(dir, "d", filters[i], "file", old);
                int r = copy_to_nbd(s.socket, d.socket, 0, &error);
                ck_assert_msg(r == 0, "%s: %s", filters[i], strna(error));
                assert_same_disk(s.socket, d.socket); /* what is behind the source is zero, too */
        }
}
END_TEST

START_TEST(a_vmdk_is_written_through_qemu_nbd) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *disk = strprintf("%s/disk.raw", dir), *vmdk = strprintf("%s/new.vmdk", dir),
                            *error = NULL;

        make_disk(disk, 16 * MIB);
        RUN_OK("qemu-img", "create", "-f", "vmdk", vmdk, "16M");
        _cleanup_server_ Server s = SERVE_NBDKIT(dir, "s", "-r", "file", disk);
        {
                _cleanup_server_ Server d = SERVE_QEMU(dir, "d", "vmdk", vmdk);
                ck_assert_int_eq(copy_to_nbd(s.socket, d.socket, NBD_KNOWN_ZERO, &error), 0);
        } /* killed: what was flushed is enough */
        RUN_OK("qemu-img", "compare", "-f", "raw", "-F", "vmdk", disk, vmdk);
}
END_TEST

START_TEST(a_destination_must_be_writable_and_large_enough) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *error = NULL, *small = NULL;
        char *uris[2] = {};

        _cleanup_server_ Server s = SERVE_NBDKIT(dir, "s", "memory", "2M"),
                                ro = SERVE_NBDKIT(dir, "ro", "-r", "memory", "2M"),
                                d = SERVE_NBDKIT(dir, "d", "memory", "1M");
        Endpoint *e = NULL;
        uris[0] = ro.socket;
        const NbdOptions o = {
                .uris = uris, .flags = NBD_DESTINATION, .cancel_fd = -1, .label = "destination"
        };
        ck_assert_int_eq(endpoint_nbd_new(&o, &e, &error), -EROFS);
        ck_assert_int_eq(copy_to_nbd(s.socket, d.socket, 0, &small), -EINVAL);
        ck_assert_ptr_nonnull(strstr(small, "has room for 1048576"));
}
END_TEST

START_TEST(nothing_is_a_destination_too) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_server_ Server s = SERVE_NBDKIT(dir, "s", "pattern", "8M");
        _cleanup_endpoint_ Endpoint *source = open_nbd(s.socket, 0, "source"), *null = NULL;
        const CopyOptions o = { .cancel_fd = -1 };
        _cleanup_free_ char *error = NULL;

        ck_assert_int_eq(endpoint_null_new(source->size, "nothing", &null), 0);
        ck_assert_int_eq(copy_run(source, null, NULL, 0, &o, NULL, &error), 0);
        ck_assert_uint_eq(null->bytes_written, 8 * MIB);
}
END_TEST

typedef struct Seen {
        unsigned calls;
        uint64_t last;
        unsigned flushing; /* calls that told of the flush */
        uint64_t unflushed; /* as the first of them said */
        bool at_end; /* the last call told that all is done */
} Seen;

static int note_progress(const CopyProgress *p, void *userdata) {
        Seen *seen = userdata;

        ck_assert_uint_ge(p->position, seen->last);
        ck_assert_uint_le(p->position, p->total);
        seen->last = p->position;
        seen->calls++;
        if (p->flushing && seen->flushing++ == 0)
                seen->unflushed = p->unflushed;
        /* The end is told when nothing is left to flush, and not before. */
        ck_assert(!p->flushing || p->position == p->total);
        seen->at_end = p->position == p->total && !p->flushing && p->unflushed == 0;
        return 0;
}

START_TEST(progress_goes_forward_from_start_to_end) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *part = strprintf("%s/part", dir);
        Seen seen = {};

        _cleanup_server_ Server s =
                        SERVE_NBDKIT(dir, "s", "--filter=delay", "pattern", "8M", "delay-read=10ms");
        _cleanup_copy_ TestCopy t = TEST_COPY(part, "raw", s.socket);
        t.options.progress = note_progress;
        t.options.userdata = &seen;
        t.options.progress_interval = USEC_PER_MSEC;
        ck_assert_int_eq(test_copy(&t), 0);
        ck_assert_uint_ge(seen.calls, 4);
        ck_assert_uint_eq(seen.last, 8 * MIB);
        ck_assert_uint_ge(seen.flushing, 1);
        ck_assert_uint_gt(seen.unflushed, 0);
        ck_assert_uint_le(seen.unflushed, 8 * MIB);
        ck_assert(seen.at_end);
}
END_TEST

TEST_MAIN("engine-copy", raw_is_exact_for_every_size, qcow2_is_exact_and_sound_for_every_size,
                compressed_qcow2_is_exact_and_sound_for_every_size,
                zstd_qcow2_is_exact_and_sound_for_every_size, zeroes_stay_holes, holes_are_not_read,
                terabytes_of_nothing_are_quick, several_servers_share_the_work,
                servers_of_different_disks_are_refused, compression_pays_where_it_can,
                an_nbd_destination_is_overwritten_whatever_was_there, a_vmdk_is_written_through_qemu_nbd,
                a_destination_must_be_writable_and_large_enough, nothing_is_a_destination_too,
                two_copies_go_on_side_by_side, an_interrupted_copy_can_be_gone_on_with,
                progress_goes_forward_from_start_to_end)
