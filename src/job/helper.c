/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "job/helper.h"

#define ERRORS_MAX ((size_t) 4096)
#define ARGUMENTS_MAX 8u
#define TICK_MS 100
#define PROGRAM "/proc/self/exe"

typedef struct Complaints {
        int fd;
        char text[ERRORS_MAX + 1];
        size_t size;
} Complaints;

/* What is over the maximum is thrown away. */
static void read_complaints(Complaints *c) {
        char buf[4096];
        ssize_t n;

        while ((n = read(c->fd, buf, sizeof(buf))) > 0) {
                size_t take = MIN((size_t) n, ERRORS_MAX - c->size);

                memcpy(c->text + c->size, buf, take);
                c->size += take;
        }
        c->text[c->size] = 0;
}

/* Until the child has ended (0), or something is wrong. */
static int watch(pid_t pid, Complaints *c, usec_t timeout, int cancel_fd, helper_tick_func tick,
                void *userdata) {
        usec_t deadline = timeout > 0 ? now_monotonic() + timeout : USEC_INFINITY;
        _cleanup_close_ int pid_fd = pidfd_open(pid, 0);
        struct pollfd p[] = { { .fd = pid_fd, .events = POLLIN }, { .fd = cancel_fd, .events = POLLIN } };

        if (pid_fd < 0)
                return -errno;
        for (;;) {
                int r = poll(p, ELEMENTSOF(p), TICK_MS);
                if (r < 0 && errno != EINTR)
                        return -errno;
                read_complaints(c);
                if (r > 0 && p[1].revents)
                        return -ECANCELED;
                if (r > 0 && p[0].revents)
                        return 0;
                if (now_monotonic() >= deadline)
                        return -ETIMEDOUT;
                r = tick ? tick(userdata) : 0;
                if (r < 0)
                        return r;
        }
}

int helper_start(const char *const argv[], const ChildLimits *limits, int in_fd, int out_fd, int err_fd,
                pid_t *ret) {
        const char *full[ARGUMENTS_MAX + 2] = { PROGRAM };

        for (size_t i = 0; argv[i]; i++) {
                if (i >= ARGUMENTS_MAX)
                        return -E2BIG;
                full[i + 1] = argv[i];
        }
        ChildLimits effective = *limits;
#ifdef __SANITIZE_ADDRESS__
        /* Our own program then reserves terabytes of addresses, looks at its memory map, and traces itself
         * for leaks. */
        effective.unconfined = true;
        effective.address_space = 0;
#endif
        return child_spawn(full, &effective, in_fd, out_fd, err_fd, ret);
}

int helper_run(const char *const argv[], const ChildLimits *limits, int in_fd, int out_fd, int cancel_fd,
                helper_tick_func tick, void *userdata, int *ret_status, char **ret_errors) {
        Complaints c = {};
        int err[2], status = 0;
        pid_t pid;

        if (pipe2(err, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        _cleanup_close_ int err_read = err[0];
        _cleanup_close_ int err_write = err[1];
        int r = helper_start(argv, limits, in_fd, out_fd, err_write, &pid);
        if (r < 0)
                return r;
        err_write = safe_close(err_write);
        c.fd = err_read;
        r = watch(pid, &c, limits->timeout, cancel_fd, tick, userdata);
        if (r < 0) {
                child_kill(pid);
                return r;
        }
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        read_complaints(&c);
        child_clean_text(c.text);
        *ret_errors = strdup(c.text);
        if (!*ret_errors)
                return -ENOMEM;
        *ret_status = status;
        return 0;
}
