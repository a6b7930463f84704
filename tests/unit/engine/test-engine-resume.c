/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Copies that end too early, in every way, and go on: the result must be right to the byte. */

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "basic/fd-util.h"
#include "engine/qcow2-layout.h"
#include "unit/lib/engine-util.h"

/* A directory with a disk that is served slowly enough to be interrupted, and where its copy goes. */
typedef struct Bench {
        char *dir, *disk, *part, *image, *trouble;
        Server server;
} Bench;

static void start_server(Bench *b) {
        _cleanup_free_ char *error_file = strprintf("error-file=%s", b->trouble);

        server_done(&b->server);
        b->server = SERVE_NBDKIT(b->dir, "s", "-r", "--filter=error", "--filter=delay", "file", b->disk,
                        "delay-read=20ms", "error-pread=EIO", "error-pread-rate=100%", error_file);
}

static void bench_init(Bench *b) {
        *b = (Bench){ .dir = test_dir() };
        b->disk = strprintf("%s/disk.raw", b->dir);
        b->part = strprintf("%s/part", b->dir);
        b->image = strprintf("%s/part/image", b->dir);
        b->trouble = strprintf("%s/trouble", b->dir);
        make_wide_disk(b->disk);
}

static void bench_done(Bench *b) {
        server_done(&b->server);
        free(b->disk);
        free(b->part);
        free(b->image);
        free(b->trouble);
        test_dir_freep(&b->dir);
}
#define _cleanup_bench_ _cleanup_(bench_done)

static const char *const formats[] = { "raw", "qcow2", "qcow2 compress", "qcow2 zstd" };

/* A server for each copy: nbdkit 1.32 sometimes aborts when a client goes away with requests in flight. */
static TestCopy prepare(Bench *b, const char *format) {
        start_server(b);
        TestCopy t = TEST_COPY(b->part, format, b->server.socket);

        t.options.checkpoint_interval = USEC_PER_MSEC;
        t.options.progress_interval = 1;
        return t;
}

static void assert_result(const Bench *b, const char *format) {
        if (streq(format, "raw"))
                assert_same_raw(b->disk, b->image);
        else
                assert_good_qcow2(b->image, b->disk);
}

/* --- kill and power cut
 * ------------------------------------------------------------------------------------- */

/* A copy in a process of its own that an alarm kills at any point. True if it was complete before. */
static bool copy_until_killed(Bench *b, const char *format, unsigned msec) {
        TestCopy t = prepare(b, format);
        int status;
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                const struct itimerval timer = { .it_value = { .tv_sec = msec / 1000,
                                                                 .tv_usec = msec % 1000 * 1000 } };

                signal(SIGALRM, SIG_DFL); /* the test framework has a handler of its own */
                setitimer(ITIMER_REAL, &timer, NULL);
                _exit(test_copy(&t) < 0);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        if (WIFSIGNALED(status)) {
                ck_assert_int_eq(WTERMSIG(status), SIGALRM);
                return false;
        }
        ck_assert_int_eq(WEXITSTATUS(status), 0);
        return true;
}

static void spoil(int fd, uint64_t from, uint64_t to, uint64_t seed) {
        char garbage[4096];

        for (uint64_t i = from; i < to; i += sizeof(garbage)) {
                fill_random(garbage, sizeof(garbage), seed + i);
                ck_assert_int_eq(pwrite_full(fd, garbage, MIN(sizeof(garbage), to - i), i), 0);
        }
}

/* What a power cut may leave of everything that was not yet on stable storage when the checkpoint was
 * written: anything. */
static void spoil_unflushed(const Bench *b, const char *format) {
        _cleanup_free_ char *path = strprintf("%s/" CHECKPOINT_FILE, b->part), *text = NULL;
        _cleanup_(checkpoint_freep) Checkpoint *c = NULL;
        _cleanup_close_ int fd = open(b->image, O_RDWR | O_CLOEXEC);
        Qcow2Layout l;

        if (fd < 0 || read_file_at(AT_FDCWD, path, CHECKPOINT_MAX, &text, NULL) < 0)
                return;
        ck_assert_int_eq(checkpoint_decode(text, strlen(text), &c), 0);
        if (streq(format, "raw")) {
                spoil(fd, c->watermark, MIN(c->watermark + MIB, c->size), 1);
                return;
        }
        ck_assert_int_eq(qcow2_layout(c->size, &l), 0);
        spoil(fd, 0, l.l1, 2);
        uint64_t first = (c->watermark + QCOW2_L2_COVERS - 1) / QCOW2_L2_COVERS;
        spoil(fd, l.l1 + first * 8, l.l1 + l.l1_entries * 8, 3);
        spoil(fd, c->state[1], (c->state[1] + QCOW2_CLUSTER - 1) / QCOW2_CLUSTER * QCOW2_CLUSTER, 4);
        ck_assert_int_eq(ftruncate(fd, (off_t) c->state[0]), 0);
        spoil(fd, c->state[0], c->state[0] + 300 * KIB, 5);
}

static void kill_until_complete(const char *format) {
        _cleanup_bench_ Bench b;
        uint64_t reached = 0;
        unsigned resumed = 0, stuck = 0;
        bool complete = false;

        bench_init(&b);
        srand(42);
        for (unsigned i = 0; !complete && i < 100; i++) {
                /* On a busy machine a copy that gets nowhere before it is killed has more time in the next
                 * attempt. */
                complete = copy_until_killed(&b, format, 20 + (unsigned) rand() % 150 + 50 * stuck);
                uint64_t watermark = complete ? reached : saved_watermark(b.part);
                ck_assert_uint_ge(watermark, reached);
                resumed += watermark > reached;
                stuck = watermark > reached ? 0 : stuck + 1;
                reached = watermark;
                if (!complete && i % 2 == 1)
                        spoil_unflushed(&b, format);
        }
        ck_assert(complete);
        ck_assert_uint_ge(resumed, 2);
        assert_result(&b, format);
}

START_TEST(raw_survives_kills_and_power_cuts) {
        kill_until_complete("raw");
}
END_TEST

START_TEST(qcow2_survives_kills_and_power_cuts) {
        kill_until_complete("qcow2");
}
END_TEST

START_TEST(compressed_qcow2_survives_kills_and_power_cuts) {
        kill_until_complete("qcow2 compress");
}
END_TEST

/* --- sources that fail
 * -------------------------------------------------------------------------------------- */

typedef struct Trouble {
        Bench *bench;
        int cancel_fd;
} Trouble;

static bool far_enough(const CopyProgress *p) {
        return p->position > 4 * MIB;
}

static int break_reads(const CopyProgress *p, void *userdata) {
        Trouble *t = userdata;

        if (far_enough(p))
                safe_close(open(t->bench->trouble, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        return 0;
}

static int kill_server(const CopyProgress *p, void *userdata) {
        Trouble *t = userdata;

        if (far_enough(p))
                kill(t->bench->server.pid, SIGKILL);
        return 0;
}

static int cancel(const CopyProgress *p, void *userdata) {
        Trouble *t = userdata;

        return far_enough(p) && eventfd_write(t->cancel_fd, 1) < 0 ? -errno : 0;
}

static int give_up(const CopyProgress *p, void *userdata) {
        return far_enough(p) ? -EUCLEAN : 0;
}

/* Fails with @error and a text that holds @text, though no checkpoint was due yet; what was copied is kept
 * all the same, and the next attempt goes on from there. */
static void fail_and_resume(const char *format, int (*progress)(const CopyProgress *, void *), int error,
                const char *text) {
        _cleanup_bench_ Bench b;
        Trouble trouble = { .bench = &b };

        bench_init(&b);
        _cleanup_copy_ TestCopy t = prepare(&b, format);
        t.options.progress = progress;
        t.options.userdata = &trouble;
        t.options.checkpoint_interval = 0;
        ck_assert_int_eq(test_copy(&t), error);
        ck_assert_msg(strstr(t.error, text) != NULL, "%s", t.error);
        ck_assert_uint_gt(t.progress.position, 4 * MIB);
        uint64_t saved = saved_watermark(b.part);
        ck_assert_uint_gt(saved, 4 * MIB);

        (void) unlink(b.trouble);
        _cleanup_copy_ TestCopy again = prepare(&b, format);
        ck_assert_int_eq(test_copy(&again), 0);
        ck_assert_uint_eq(again.watermark, saved);
        ck_assert_uint_eq(again.progress.resumed_from, saved);
        assert_result(&b, format);
}

START_TEST(a_read_error_keeps_what_was_copied) {
        for (size_t i = 0; i < ELEMENTSOF(formats); i++)
                fail_and_resume(formats[i], break_reads, -EIO, "reading 262144 bytes at ");
}
END_TEST

START_TEST(a_dropped_connection_keeps_what_was_copied) {
        for (size_t i = 0; i < ELEMENTSOF(formats); i++)
                fail_and_resume(formats[i], kill_server, -ECONNRESET, " source: Connection reset by peer");
}
END_TEST

START_TEST(a_callback_can_end_the_copy) {
        fail_and_resume("qcow2", give_up, -EUCLEAN, "copying source to destination");
}
END_TEST

START_TEST(a_cancel_is_prompt) {
        _cleanup_bench_ Bench b;
        Trouble trouble = { .bench = &b, .cancel_fd = eventfd(0, EFD_CLOEXEC) };

        bench_init(&b);
        _cleanup_copy_ TestCopy t = prepare(&b, "qcow2");
        t.options.progress = cancel;
        t.options.userdata = &trouble;
        t.options.cancel_fd = trouble.cancel_fd;
        ck_assert_int_eq(test_copy(&t), -ECANCELED);
        ck_assert_ptr_nonnull(strstr(t.error, "copying source to destination: Operation canceled"));
        close(trouble.cancel_fd);
}
END_TEST

START_TEST(a_silent_server_is_given_up) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *part = strprintf("%s/part", dir);

        _cleanup_server_ Server s = SERVE_NBDKIT(
                        dir, "s", "--filter=noextents", "--filter=delay", "memory", "1M", "delay-read=100");
        _cleanup_copy_ TestCopy t = TEST_COPY(part, "raw", s.socket);
        t.options.stall_timeout = 100 * USEC_PER_MSEC;
        ck_assert_int_eq(test_copy(&t), -ETIMEDOUT);
        ck_assert_ptr_nonnull(strstr(t.error, "waiting for source at 0"));
}
END_TEST

/* --- a full disk
 * -------------------------------------------------------------------------------------------- */

static int write_text(const char *path, const char *text) {
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

        return fd < 0 ? -errno : pwrite_full(fd, text, strlen(text), 0);
}

/* A mount namespace of our own; 0 or negative errno. */
static int own_mounts(void) {
        _cleanup_free_ char *map = strprintf("0 %u 1", geteuid());
        bool root = geteuid() == 0;

        if (unshare(CLONE_NEWNS | (root ? 0 : CLONE_NEWUSER)) < 0)
                return -errno;
        if (!root) {
                int r = write_text("/proc/self/uid_map", map);
                if (r < 0)
                        return r;
        }
        return mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

static void fill_disk_and_resume(const char *format) {
        _cleanup_bench_ Bench b;

        bench_init(&b);
        ck_assert_int_eq(mkdir(b.part, 0700), 0);
        if (own_mounts() < 0 || mount("tmpfs", b.part, "tmpfs", 0, "size=8m") < 0) {
                fprintf(stderr, "Not tested here, mounting is not allowed: a full disk.\n");
                return;
        }
        _cleanup_copy_ TestCopy t = prepare(&b, format);
        ck_assert_int_eq(test_copy(&t), -ENOSPC);
        ck_assert_ptr_nonnull(strstr(t.error, "destination: No space left on device"));
        uint64_t saved = saved_watermark(b.part);
        ck_assert_uint_gt(saved, 2 * MIB);

        ck_assert_int_eq(mount("none", b.part, "none", MS_REMOUNT, "size=64m"), 0);
        _cleanup_copy_ TestCopy again = prepare(&b, format);
        ck_assert_int_eq(test_copy(&again), 0);
        ck_assert_uint_eq(again.watermark, saved);
        assert_result(&b, format);
        ck_assert_int_eq(umount2(b.part, MNT_DETACH), 0);
}

START_TEST(a_full_disk_keeps_what_was_copied) {
        for (size_t i = 0; i < ELEMENTSOF(formats); i++)
                fill_disk_and_resume(formats[i]);
}
END_TEST

/* --- images that were changed
 * ------------------------------------------------------------------------------- */

static void interrupt(Bench *b, const char *format) {
        TestCopy t = prepare(b, format);

        t.options.progress = give_up;
        ck_assert_int_eq(test_copy(&t), -EUCLEAN);
        ck_assert_uint_gt(saved_watermark(b->part), 4 * MIB);
        test_copy_done(&t);
}

static void put_be64(const char *path, uint64_t offset, uint64_t value) {
        _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
        const uint64_t be = __builtin_bswap64(value);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pwrite_full(fd, &be, sizeof(be), offset), 0);
}

static uint64_t get_be64(const char *path, uint64_t offset) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        uint64_t be;

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pread_full(fd, &be, sizeof(be), offset), 0);
        return __builtin_bswap64(be);
}

START_TEST(a_qcow2_with_broken_tables_is_begun_anew) {
        const uint64_t bad_l1[] = { 1, QCOW2_COPIED, QCOW2_COPIED | 65536,
                QCOW2_COMPRESSED | (UINT64_C(5) << 16), (UINT64_C(5) << 16) };
        _cleanup_bench_ Bench b;
        Qcow2Layout l;

        bench_init(&b);
        ck_assert_int_eq(qcow2_layout(1100 * MIB + 512, &l), 0);
        for (size_t i = 0; i < ELEMENTSOF(bad_l1); i++) {
                interrupt(&b, "qcow2");
                put_be64(b.image, l.l1, bad_l1[i]);
                _cleanup_copy_ TestCopy t = prepare(&b, "qcow2");
                t.options.progress = give_up;
                ck_assert_int_eq(test_copy(&t), -EUCLEAN);
                ck_assert_msg(t.watermark == 0, "L1 entry %zu", i);
        }
        interrupt(&b, "qcow2");
        put_be64(b.image, get_be64(b.image, l.l1) & QCOW2_OFFSET_MASK, QCOW2_COPIED | 65536);
        _cleanup_copy_ TestCopy t = prepare(&b, "qcow2");
        ck_assert_int_eq(test_copy(&t), 0);
        ck_assert_uint_eq(t.watermark, 0);
        assert_result(&b, "qcow2");
}
END_TEST

START_TEST(two_clusters_in_one_place_are_found_in_the_end) {
        _cleanup_bench_ Bench b;
        Qcow2Layout l;

        bench_init(&b);
        ck_assert_int_eq(qcow2_layout(1100 * MIB + 512, &l), 0);
        interrupt(&b, "qcow2");
        uint64_t l2 = get_be64(b.image, l.l1) & QCOW2_OFFSET_MASK;
        put_be64(b.image, l2 + 8, get_be64(b.image, l2));

        _cleanup_copy_ TestCopy t = prepare(&b, "qcow2");
        ck_assert_int_eq(test_copy(&t), -EBADMSG);
        ck_assert_uint_gt(t.watermark, 0);
        _cleanup_copy_ TestCopy again = prepare(&b, "qcow2");
        ck_assert_int_eq(test_copy(&again), 0);
        ck_assert_uint_eq(again.watermark, 0);
        assert_result(&b, "qcow2");
}
END_TEST

START_TEST(an_image_that_lost_its_end_is_begun_anew) {
        _cleanup_bench_ Bench b;

        bench_init(&b);
        for (unsigned i = 0; i < 2; i++) {
                interrupt(&b, formats[i]);
                ck_assert_int_eq(truncate(b.image, 2 * MIB), 0);
                _cleanup_copy_ TestCopy t = prepare(&b, formats[i]);
                ck_assert_int_eq(test_copy(&t), 0);
                ck_assert_uint_eq(t.watermark, 0);
                assert_result(&b, formats[i]);
        }
}
END_TEST

START_TEST(another_source_or_format_begins_anew) {
        _cleanup_bench_ Bench b;

        bench_init(&b);
        interrupt(&b, "raw");
        _cleanup_copy_ TestCopy other = prepare(&b, "raw");
        other.identity = "another source";
        other.options.progress = give_up;
        ck_assert_int_eq(test_copy(&other), -EUCLEAN);
        ck_assert_uint_eq(other.watermark, 0);

        _cleanup_copy_ TestCopy first = prepare(&b, "raw");
        first.options.progress = give_up;
        ck_assert_int_eq(test_copy(&first), -EUCLEAN);
        ck_assert_uint_eq(first.watermark, 0);

        _cleanup_copy_ TestCopy format = prepare(&b, "qcow2");
        ck_assert_int_eq(test_copy(&format), 0);
        ck_assert_uint_eq(format.watermark, 0);
        assert_result(&b, "qcow2");
}
END_TEST

TEST_MAIN("engine-resume", raw_survives_kills_and_power_cuts, qcow2_survives_kills_and_power_cuts,
                compressed_qcow2_survives_kills_and_power_cuts, a_read_error_keeps_what_was_copied,
                a_dropped_connection_keeps_what_was_copied, a_callback_can_end_the_copy, a_cancel_is_prompt,
                a_silent_server_is_given_up, a_full_disk_keeps_what_was_copied,
                a_qcow2_with_broken_tables_is_begun_anew, two_clusters_in_one_place_are_found_in_the_end,
                an_image_that_lost_its_end_is_begun_anew, another_source_or_format_begins_anew)
