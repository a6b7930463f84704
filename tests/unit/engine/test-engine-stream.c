/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Disks that come through a pipe. */

#include <fcntl.h>
#include <sys/wait.h>

#include "basic/fd-util.h"
#include "engine/endpoint-null.h"
#include "engine/endpoint-raw.h"
#include "engine/endpoint-stream.h"
#include "unit/lib/engine-util.h"

#define BLOCK ((size_t) 65536)
#define SIZE (100 * MIB + 512)

/* --- the sender -------------------------------------------------------------------------------------- */

static char block[BLOCK];

static int send_run(int fd, uint64_t offset, uint64_t length) {
        StreamRun head = { .offset = offset, .length = length };

        if (write(fd, &head, sizeof(head)) != sizeof(head))
                return -errno;
        fill_random(block, BLOCK, offset + 1);
        for (uint64_t at = 0; at < length;) {
                ssize_t n = write(fd, block + at % BLOCK, (size_t) MIN(length - at, BLOCK - at % BLOCK));
                if (n < 0)
                        return -errno;
                at += (uint64_t) n;
        }
        return 0;
}

/* Half of the disk, and its end. */
static bool is_data(uint64_t offset) {
        return (offset / MIB) % 2 == 0 || offset + BLOCK > SIZE;
}

/* The disk, up to @stop; SIZE + 1: with the last run. */
static void send_disk(int fd, uint64_t stop) {
        for (uint64_t at = 0; at < MIN(stop, SIZE); at += BLOCK)
                if (is_data(at) && send_run(fd, at, MIN((uint64_t) BLOCK, SIZE - at)) < 0)
                        return;
        if (stop > SIZE)
                (void) send_run(fd, SIZE, 0);
}

static pid_t start_sender(uint64_t stop, int *ret_fd) {
        int fds[2];

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                close(fds[0]);
                send_disk(fds[1], stop);
                _exit(0);
        }
        close(fds[1]);
        *ret_fd = fds[0];
        return pid;
}

static void make_expected(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(ftruncate(fd, (off_t) SIZE), 0);
        for (uint64_t at = 0; at < SIZE; at += BLOCK) {
                fill_random(block, BLOCK, at + 1);
                if (is_data(at))
                        ck_assert_int_eq(pwrite_full(fd, block, MIN((uint64_t) BLOCK, SIZE - at), at), 0);
        }
}

/* --- the receiver ------------------------------------------------------------------------------------ */

typedef struct Ended {
        unsigned calls;
        bool complete, freed;
        int result;
        const char *why;
} Ended;

static int on_ended(void *userdata, bool complete, char **ret_error) {
        Ended *e = userdata;

        e->calls++;
        e->complete = complete;
        *ret_error = e->why ? strdup(e->why) : NULL;
        return e->result;
}

static void on_free(void *userdata) {
        ((Ended *) userdata)->freed = true;
}

static Endpoint *open_stream(int fd, uint64_t size, DiskDigest *digest, Ended *ended) {
        StreamOptions options = {
                .fd = fd,
                .size = size,
                .label = "source",
                .digest = digest,
                .ended = on_ended,
                .free = on_free,
                .userdata = ended,
        };
        Endpoint *e;

        ck_assert_int_eq(endpoint_stream_new(&options, &e), 0);
        return e;
}

static int copy_all(Endpoint *from, Endpoint *to, uint64_t watermark, char **ret_error) {
        CopyOptions options = { .cancel_fd = -EBADF };

        return copy_run(from, to, NULL, watermark, &options, NULL, ret_error);
}

static int copy_to_file(const char *path, uint64_t stop, uint64_t watermark, DiskDigest *digest,
                Ended *ended, char **ret_error) {
        _cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        _cleanup_endpoint_ Endpoint *to = NULL;
        _cleanup_endpoint_ Endpoint *from = NULL;
        _cleanup_free_ char *why = NULL;
        int pipe_fd;

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(endpoint_raw_new(fd, SIZE, watermark, "image", &to, &why), 0);
        pid_t pid = start_sender(stop, &pipe_fd);
        from = open_stream(pipe_fd, SIZE, digest, ended);
        int r = copy_all(from, to, watermark, ret_error);
        from = endpoint_free(from);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        return r;
}

static void digest_file(const char *path, uint8_t ret[static DISK_DIGEST_SIZE]) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        _cleanup_disk_digest_ DiskDigest *d = NULL;
        _cleanup_endpoint_ Endpoint *to = NULL;

        ck_assert_int_eq(disk_digest_new(&d), 0);
        ck_assert_int_eq(endpoint_digest_new(d, SIZE, &to), 0);
        for (uint64_t at = 0; at < SIZE; at += BLOCK) {
                size_t n = MIN((uint64_t) BLOCK, SIZE - at);
                ck_assert_int_eq(pread_full(fd, block, n, at), 0);
                ck_assert_int_eq(disk_digest_add(d, block, n, at), 0);
        }
        ck_assert_int_eq(disk_digest_get(d, ret), 0);
}

START_TEST(whole_disk) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *got = strprintf("%s/got", dir), *expected = strprintf("%s/expected", dir),
                            *why = NULL;
        _cleanup_disk_digest_ DiskDigest *d = NULL;
        uint8_t a[DISK_DIGEST_SIZE], b[DISK_DIGEST_SIZE];
        Ended ended = {};

        make_expected(expected);
        ck_assert_int_eq(disk_digest_new(&d), 0);
        ck_assert_msg(copy_to_file(got, SIZE + 1, 0, d, &ended, &why) == 0, "%s", strna(why));
        assert_same_file(got, expected);
        ck_assert_uint_eq(ended.calls, 1);
        ck_assert(ended.complete && ended.freed);
        ck_assert_int_eq(disk_digest_get(d, a), 0);
        digest_file(expected, b);
        ck_assert_mem_eq(a, b, sizeof(a));
}
END_TEST

/* What lies before the watermark is received, digested, and dropped. */
START_TEST(resumed) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *got = strprintf("%s/got", dir), *expected = strprintf("%s/expected", dir),
                            *why = NULL;
        _cleanup_disk_digest_ DiskDigest *d = NULL;
        uint8_t a[DISK_DIGEST_SIZE], b[DISK_DIGEST_SIZE];
        Ended ended = {};

        make_expected(expected);
        ck_assert_int_eq(disk_digest_new(&d), 0);
        RUN_OK("cp", expected, got);
        ck_assert_msg(copy_to_file(got, SIZE + 1, 70 * MIB, d, &ended, &why) == 0, "%s", strna(why));
        assert_same_file(got, expected);
        ck_assert_int_eq(disk_digest_get(d, a), 0);
        digest_file(expected, b);
        ck_assert_mem_eq(a, b, sizeof(a));
}
END_TEST

/* However much of the data is there, without the last run the copy fails. */
START_TEST(cut_off) {
        static const uint64_t stops[] = { 0, BLOCK, 50 * MIB, 51 * MIB, SIZE - 1, SIZE };

        for (size_t i = 0; i < ELEMENTSOF(stops); i++) {
                _cleanup_test_dir_ char *dir = test_dir();
                _cleanup_free_ char *got = strprintf("%s/got", dir), *why = NULL;
                Ended ended = {};

                ck_assert_int_eq(copy_to_file(got, stops[i], 0, NULL, &ended, &why), -EPIPE);
                ck_assert_ptr_nonnull(strstr(why, "receiving source"));
                ck_assert(ended.calls == 1 && !ended.complete);
        }
}
END_TEST

/* A stream that is complete but wrong (its checksum) is not a disk either. */
START_TEST(wrong_at_its_end) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *got = strprintf("%s/got", dir), *why = NULL;
        Ended ended = { .result = -EBADMSG, .why = "the checksum is another one" };

        ck_assert_int_eq(copy_to_file(got, SIZE + 1, 0, NULL, &ended, &why), -EBADMSG);
        ck_assert_str_eq(why, "the checksum is another one");
        ck_assert(ended.complete);
}
END_TEST

static void ignore(
                _unused_ void *userdata, _unused_ const Extent *x, _unused_ size_t n, _unused_ int error) {
}

/* Nothing is read, so at some point nothing is received any more. */
START_TEST(memory_is_bounded) {
        uint64_t sent = 0;
        Ended ended = {};
        int fds[2];

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        _cleanup_close_ int to = fds[1];
        _cleanup_endpoint_ Endpoint *e = open_stream(fds[0], GIB, NULL, &ended);
        ck_assert_int_ge(fcntl(to, F_SETPIPE_SZ, 1 << 20), BLOCK);
        ck_assert_int_eq(endpoint_extents(e, 0, GIB, ignore, NULL), 0);
        for (struct pollfd fd; sent < GIB; sent += BLOCK) {
                size_t n = e->ops->wait(e, &fd, 1);
                if (n == 0 || fd.fd != fds[0])
                        break;
                ck_assert_int_eq(send_run(to, sent, BLOCK), 0);
                fd.revents = POLLIN;
                ck_assert_int_eq(e->ops->dispatch(e, &fd, 1), 0);
        }
        ck_assert_uint_ge(sent, 64 * MIB);
        ck_assert_uint_le(sent, 65 * MIB);
}
END_TEST

static int seen;
static void on_extents(_unused_ void *userdata, _unused_ const Extent *x, _unused_ size_t n, int error) {
        seen = error < 0 ? error : 1;
}

/* What the endpoint makes of these runs. */
static int receive(const StreamRun *runs, size_t n) {
        Ended ended = {};
        struct pollfd fd;
        int fds[2];

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        _cleanup_endpoint_ Endpoint *e = open_stream(fds[0], 16 * MIB, NULL, &ended);
        for (size_t i = 0; i < n; i++)
                if (runs[i].length == 0 || runs[i].length > BLOCK)
                        ck_assert_int_eq(write(fds[1], &runs[i], sizeof(runs[i])), sizeof(runs[i]));
                else
                        ck_assert_int_eq(send_run(fds[1], runs[i].offset, 512), 0);
        close(fds[1]);
        seen = 0;
        ck_assert_int_eq(endpoint_extents(e, 0, 16 * MIB, on_extents, NULL), 0);
        while (seen == 0 && e->ops->wait(e, &fd, 1) > 0) {
                fd.revents = POLLIN;
                ck_assert_int_eq(e->ops->dispatch(e, &fd, 1), 0);
        }
        ck_assert_ptr_nonnull(endpoint_error(e));
        return seen;
}

START_TEST(hostile_runs) {
        static const StreamRun bad[] = {
                { 16 * MIB, 512 },
                { UINT64_MAX - 100, 512 },
                { 0, STREAM_RUN_MAX + 1 },
                { 0, UINT64_MAX },
                { 512, 0 },
                { 16 * MIB + 512, 0 },
        };
        static const StreamRun twice[] = { { 0, 512 }, { 0, 512 } };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(receive(&bad[i], 1) == -EPROTO, "%zu: %d", i, seen);
        /* The first run is told of before the second one is refused. */
        ck_assert_int_eq(receive(twice, 2), -EPROTO);
}
END_TEST

START_TEST(only_once) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *why = NULL;
        Ended ended = {};
        int fd;

        pid_t pid = start_sender(SIZE + 1, &fd);
        _cleanup_endpoint_ Endpoint *from = open_stream(fd, SIZE, NULL, &ended);
        _cleanup_endpoint_ Endpoint *to = NULL;
        ck_assert_int_eq(endpoint_null_new(SIZE, "null", &to), 0);
        ck_assert_int_eq(copy_all(from, to, 0, &why), 0);
        ck_assert_int_eq(endpoint_read(from, block, BLOCK, 0, NULL, NULL), -EINVAL);
        ck_assert_int_eq(endpoint_extents(from, 0, BLOCK, ignore, NULL), -EINVAL);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

TEST_MAIN("engine-stream", whole_disk, resumed, cut_off, wrong_at_its_end, memory_is_bounded, hostile_runs,
                only_once)
