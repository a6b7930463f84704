/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "basic/fd-util.h"
#include "engine/endpoint-nbd.h"
#include "engine/nbd-connect.h"
#include "engine/part.h"
#include "unit/lib/engine-util.h"

#define ARGUMENTS_MAX 32

static void collect(char *argv[static ARGUMENTS_MAX], const char *program, va_list ap) {
        size_t n = 0;

        argv[n++] = (char *) program;
        for (char *a; (a = va_arg(ap, char *));) {
                ck_assert_uint_lt(n, ARGUMENTS_MAX - 1);
                argv[n++] = a;
        }
        argv[n] = NULL;
}

static void silence(void) {
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (getenv("HYPER_TEST_VERBOSE"))
                return;
        for (int i = 0; i < 3; i++)
                (void) dup2(fd, i);
}

int run_program(const char *program, ...) {
        char *argv[ARGUMENTS_MAX];
        va_list ap;
        int status;

        va_start(ap, program);
        collect(argv, program, ap);
        va_end(ap);
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                silence();
                execvp(program, argv);
                _exit(127);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool is_installed(const char *program) {
        _cleanup_free_ char *path = strdup(strempty(getenv("PATH")));

        for (char *save, *dir = strtok_r(path, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
                _cleanup_free_ char *file = strprintf("%s/%s", dir, program);
                if (access(file, X_OK) >= 0)
                        return true;
        }
        return false;
}

__attribute__((constructor)) static void require_programs(void) {
        if (is_installed("qemu-img") && is_installed("qemu-nbd") && is_installed("nbdkit"))
                return;
        fprintf(stderr, "Skipped: qemu-img, qemu-nbd and nbdkit are needed.\n");
        exit(77);
}

/* --- disks
 * ------------------------------------------------------------------------------------------------- */

void fill_random(void *buf, size_t size, uint64_t seed) {
        uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
        unsigned char *p = buf;

        for (size_t i = 0; i < size; i++) {
                x ^= x << 13;
                x ^= x >> 7;
                x ^= x << 17;
                p[i] = (unsigned char) (x >> 32);
        }
}

/* What lies in each 128 KiB of the disk. */
static void fill_piece(char *buf, size_t size, uint64_t number) {
        memset(buf, 0, size);
        switch (number % 8) {
        case 0:
        case 1:
                fill_random(buf, size, number + 1);
                break;
        case 2:
                for (size_t i = 0; i < size; i++)
                        buf[i] = "The quick brown fox jumps over the lazy dog. "[(i * (1 + number % 3)) %
                                        45];
                break;
        case 4: /* one page in the middle, and one byte at the end of a cluster */
                fill_random(buf + size / 3, MIN(size / 3, (size_t) 4096), number);
                buf[size > 65536 ? 65535 : size - 1] = 1;
                break;
        case 6: /* random and text in turn, cluster by cluster */
                fill_random(buf, MIN(size, (size_t) 65536), number);
                memset(buf + size / 2, 'x', size - size / 2);
                break;
        default: /* 3 and 5 are written zeroes, 7 is a hole */
                break;
        }
}

void make_disk(const char *path, uint64_t size) {
        _cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        _cleanup_free_ char *buf = malloc(128 * KIB);

        ck_assert_int_ge(fd, 0);
        ck_assert_ptr_nonnull(buf);
        ck_assert_int_eq(ftruncate(fd, (off_t) size), 0);
        for (uint64_t i = 0; i * 128 * KIB < size; i++) {
                size_t n = (size_t) MIN(128 * KIB, size - i * 128 * KIB);
                fill_piece(buf, n, i);
                if (i % 8 != 7)
                        ck_assert_int_eq(pwrite_full(fd, buf, n, i * 128 * KIB), 0);
        }
        if (size > 0)
                ck_assert_int_eq(pwrite_full(fd, "!", 1, size - 1), 0);
}

void make_wide_disk(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        _cleanup_free_ char *buf = malloc(128 * KIB);
        const uint64_t begin[] = { 0, 504 * MIB, 1020 * MIB };

        ck_assert_int_ge(fd, 0);
        ck_assert_ptr_nonnull(buf);
        ck_assert_int_eq(ftruncate(fd, 1100 * MIB + 512), 0);
        for (size_t k = 0; k < ELEMENTSOF(begin); k++)
                for (uint64_t i = 0; i < 96; i++) {
                        fill_piece(buf, 128 * KIB, i + k);
                        ck_assert_int_eq(pwrite_full(fd, buf, 128 * KIB, begin[k] + i * 128 * KIB), 0);
                }
}

void assert_same_file(const char *a, const char *b) {
        ck_assert_msg(run_program("cmp", a, b, NULL) == 0, "%s and %s differ", a, b);
}

void assert_same_raw(const char *a, const char *b) {
        struct stat x, y;

        ck_assert_int_eq(stat(a, &x), 0);
        ck_assert_int_eq(stat(b, &y), 0);
        ck_assert_int_eq(x.st_size, y.st_size);
        ck_assert_msg(run_program("qemu-img", "compare", "-f", "raw", "-F", "raw", a, b, NULL) == 0,
                        "%s and %s differ", a, b);
}

void assert_good_qcow2(const char *image, const char *raw) {
        ck_assert_msg(run_program("qemu-img", "check", "-f", "qcow2", image, NULL) == 0, "%s has errors",
                        image);
        ck_assert_msg(run_program("qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw, image, NULL) == 0,
                        "%s and %s differ", raw, image);
}

/* --- servers
 * ------------------------------------------------------------------------------------------------ */

int listen_at(const char *path) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_uint_lt(strlen(path), sizeof(sa.sun_path));
        memcpy(sa.sun_path, path, strlen(path));
        (void) unlink(path);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &sa, sizeof(sa)), 0);
        ck_assert_int_eq(listen(fd, 16), 0);
        return fd;
}

Server serve(const char *dir, const char *name, const char *program, ...) {
        Server s = { .socket = strprintf("%s/%s.sock", dir, name) };
        _cleanup_close_ int fd = listen_at(s.socket);
        char *argv[ARGUMENTS_MAX], pid_text[32];
        va_list ap;

        va_start(ap, program);
        collect(argv, program, ap);
        va_end(ap);
        s.pid = fork();
        ck_assert_int_ge(s.pid, 0);
        if (s.pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                silence();
                if (fd == 3)
                        fcntl(fd, F_SETFD, 0);
                else
                        dup2(fd, 3);
                snprintf(pid_text, sizeof(pid_text), "%d", getpid());
                setenv("LISTEN_PID", pid_text, 1);
                setenv("LISTEN_FDS", "1", 1);
                execvp(program, argv);
                _exit(127);
        }
        return s;
}

void server_done(Server *s) {
        if (s->pid > 0) {
                kill(s->pid, SIGKILL);
                waitpid(s->pid, NULL, 0);
                s->pid = 0;
        }
        s->socket = mfree(s->socket);
}

/* --- copies
 * ------------------------------------------------------------------------------------------------- */

void test_copy_done(TestCopy *t) {
        t->error = mfree(t->error);
}

static int open_and_copy(TestCopy *t) {
        _cleanup_close_ int dir_fd = -EBADF;
        _cleanup_(part_closep) Part *part = NULL;
        _cleanup_endpoint_ Endpoint *source = NULL, *destination = NULL;
        const NbdOptions nbd = { .uris = (char *const *) t->sources, .cancel_fd = -1, .label = "source" };
        Compression compression = endswith(t->format, " compress") ? COMPRESSION_ZLIB
                        : endswith(t->format, " zstd")             ? COMPRESSION_ZSTD
                                                                   : COMPRESSION_NONE;

        int r = endpoint_nbd_new(&nbd, &source, &t->error);
        if (r < 0)
                return r;
        (void) mkdir(t->part, 0700);
        dir_fd = open(t->part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(dir_fd, 0);
        const CheckpointIdentity id = { .source = t->identity ? t->identity : "a source",
                .size = source->size,
                .destination = t->format };
        r = part_open(dir_fd, &id, PART_OWN_IMAGE, &part, &t->error);
        if (r >= 0)
                r = part_open_endpoint(part, compression != COMPRESSION_NONE ? "qcow2" : t->format,
                                compression, "destination", &destination, &t->watermark, &t->error);
        if (r >= 0)
                r = copy_run(source, destination, part, t->watermark, &t->options, &t->progress, &t->error);
        return r;
}

int test_copy(TestCopy *t) {
        t->error = mfree(t->error);
        return open_and_copy(t);
}

Endpoint *open_nbd(const char *socket_path, unsigned flags, const char *label) {
        char *const uris[] = { (char *) socket_path, NULL };
        const NbdOptions o = { .uris = uris, .flags = flags, .cancel_fd = -1, .label = label };
        _cleanup_free_ char *error = NULL;
        Endpoint *e = NULL;

        int r = endpoint_nbd_new(&o, &e, &error);
        ck_assert_msg(r == 0, "%s", strna(error));
        return e;
}

uint64_t saved_watermark(const char *part) {
        _cleanup_free_ char *path = strprintf("%s/%s", part, CHECKPOINT_FILE), *text = NULL;
        _cleanup_(checkpoint_freep) Checkpoint *c = NULL;

        if (read_file_at(AT_FDCWD, path, CHECKPOINT_MAX, &text, NULL) < 0)
                return 0;
        ck_assert_int_eq(checkpoint_decode(text, strlen(text), &c), 0);
        return c->watermark;
}
