/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "job/child.h"

#define ERRORS_MAX ((size_t) 16 * 1024)
#define LISTEN_FD 3

void child_output_done(ChildOutput *o) {
        o->output = mfree(o->output);
        o->errors = mfree(o->errors);
}

/* $PATH as execvp(3) would search it, but before fork(), where memory may still be allocated. */
#define CHILD_STACK ((rlim_t) 2 * 1024 * 1024)

static int find_program(const char *name, char **ret) {
        const char *path = getenv("PATH");

        if (strchr(name, '/')) {
                *ret = strdup(name);
                return *ret ? 0 : -ENOMEM;
        }
        for (const char *p = isempty(path) ? "/usr/bin:/bin" : path; p;) {
                const char *colon = strchrnul(p, ':');
                _cleanup_free_ char *candidate = strprintf("%.*s/%s", (int) (colon - p), p, name);

                if (!candidate)
                        return -ENOMEM;
                if (candidate[0] == '/' && access(candidate, X_OK) == 0) {
                        *ret = TAKE_PTR(candidate);
                        return 0;
                }
                p = *colon ? colon + 1 : NULL;
        }
        return -ENOENT;
}

/* --- after fork(): only what signal-safety(7) allows ----------------------------------------------- */

static int set_limit(int resource, uint64_t value) {
        struct rlimit l = { .rlim_cur = value, .rlim_max = value };
        return setrlimit(resource, &l);
}

/* Puts @fd at the number @target, which it may have already. */
static int place_fd(int fd, int target) {
        if (fd == target)
                return fcntl(fd, F_SETFD, 0);
        return dup2(fd, target);
}

/* Without zeroes in front: some readers would take the number for octal. */
static void write_pid(char *digits, pid_t pid) {
        char reversed[10];
        size_t n = 0;

        do
                reversed[n++] = (char) ('0' + pid % 10);
        while ((pid /= 10) > 0 && n < sizeof(reversed));
        for (size_t i = 0; i < n; i++)
                digits[i] = reversed[n - 1 - i];
        digits[n] = 0;
}

static int child_setup(const ChildLimits *limits, pid_t parent, int null_fd, int listen_fd, int out_fd,
                int err_fd) {
        sigset_t none;

        /* The parent may be gone before the request to die with it is in force. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                return -1;
        sigemptyset(&none);
        if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
                return -1;
        for (int s = 1; s < NSIG; s++)
                (void) signal(s, SIG_DFL);
        if (set_limit(RLIMIT_CORE, 0) < 0)
                return -1;
        /* Each thread's stack counts: by the usual 8 MiB, qemu's 64 helper threads alone would use it up. */
        if (limits->address_space > 0 &&
                        (set_limit(RLIMIT_AS, limits->address_space) < 0 ||
                                        set_limit(RLIMIT_STACK, CHILD_STACK) < 0))
                return -1;
        if (limits->cpu_seconds > 0 && set_limit(RLIMIT_CPU, limits->cpu_seconds) < 0)
                return -1;
        /* All descriptors given here are above LISTEN_FD: see child_spawn(). */
        if (place_fd(null_fd, STDIN_FILENO) < 0 || place_fd(out_fd, STDOUT_FILENO) < 0 ||
                        place_fd(err_fd, STDERR_FILENO) < 0)
                return -1;
        if (listen_fd >= 0 && place_fd(listen_fd, LISTEN_FD) < 0)
                return -1;
        /* Whatever was opened without O_CLOEXEC by whomever. */
        return close_range(listen_fd >= 0 ? LISTEN_FD + 1 : LISTEN_FD, ~0U, CLOSE_RANGE_CLOEXEC);
}

/* A copy out of the way of the descriptors that the child's own will be put on. */
static int move_up(int fd) {
        int n = fcntl(fd, F_DUPFD_CLOEXEC, LISTEN_FD + 1);
        return n < 0 ? -errno : n;
}

int child_spawn(const char *const argv[], const ChildLimits *limits, int listen_fd, int stdout_fd,
                int stderr_fd, pid_t *ret) {
        _cleanup_(parser_sandbox_done) ParserSandbox sandbox = PARSER_SANDBOX_INIT;
        _cleanup_free_ char *program = NULL, *path = NULL, *library_path = NULL;
        char listen_pid[] = "LISTEN_PID=0000000000", listen_fds[] = "LISTEN_FDS=1", lc_all[] = "LC_ALL=C";
        /* malloc(3) would reserve address space for every few threads. */
        char arenas[] = "MALLOC_ARENA_MAX=2";
        char *envp[7] = { NULL, lc_all, arenas };
        size_t n_env = 3;
        int r, report[2], error = 0;

        r = find_program(argv[0], &program);
        if (r < 0)
                return r;
        if (!limits->unconfined) {
                r = parser_sandbox_new(program, limits->files, &sandbox);
                if (r < 0)
                        return r;
        }
        path = strprintf("PATH=%s", getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
        if (!path)
                return -ENOMEM;
        envp[0] = path;
        if (limits->library_path) {
                library_path = strprintf("LD_LIBRARY_PATH=%s", limits->library_path);
                if (!library_path)
                        return -ENOMEM;
                envp[n_env++] = library_path;
        }
        if (listen_fd >= 0) {
                envp[n_env++] = listen_pid;
                envp[n_env++] = listen_fds;
        }

        _cleanup_close_ int null_raw = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null_raw < 0)
                return -errno;
        _cleanup_close_ int null_fd = move_up(null_raw);
        _cleanup_close_ int out_fd = move_up(stdout_fd >= 0 ? stdout_fd : null_raw);
        _cleanup_close_ int err_fd = move_up(stderr_fd >= 0 ? stderr_fd : null_raw);
        _cleanup_close_ int socket_fd = listen_fd >= 0 ? move_up(listen_fd) : -EBADF;
        if (null_fd < 0 || out_fd < 0 || err_fd < 0 || (listen_fd >= 0 && socket_fd < 0))
                return -EMFILE;

        /* Closed by a successful execve(); carries errno otherwise. */
        if (pipe2(report, O_CLOEXEC) < 0)
                return -errno;
        _cleanup_close_ int report_read = report[0];
        int report_write = move_up(report[1]);
        safe_close(report[1]);
        if (report_write < 0)
                return report_write;

        pid_t parent = getpid(), pid = fork();
        if (pid < 0) {
                r = -errno;
                safe_close(report_write);
                return r;
        }
        if (pid == 0) {
                write_pid(listen_pid + strlen("LISTEN_PID="), getpid());
                if (child_setup(limits, parent, null_fd, socket_fd, out_fd, err_fd) < 0)
                        ;
                else if (limits->unconfined)
                        execve(program, (char *const *) argv, envp);
                else
                        parser_sandbox_exec(&sandbox, (char *const *) argv, envp);
                error = errno > 0 ? errno : ECHILD;
                _exit(write(report_write, &error, sizeof(error)) == sizeof(error) ? 126 : 127);
        }
        safe_close(report_write);
        ssize_t n;
        do
                n = read(report_read, &error, sizeof(error));
        while (n < 0 && errno == EINTR);
        if (n != 0) {
                child_kill(pid);
                return n == sizeof(error) ? -error : -EIO;
        }
        *ret = pid;
        return 0;
}

void child_kill(pid_t pid) {
        (void) kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
}

/* --- run to the end
 * ----------------------------------------------------------------------------------------- */

typedef struct Collector {
        int fd;
        char *data;
        size_t size, allocated, max;
        bool drop; /* what is over the maximum: thrown away, or an error */
} Collector;

/* Reads what is there. 1: there may be more later, 0: end, negative: error. */
static int collector_read(Collector *c) {
        char buf[4096];

        for (;;) {
                ssize_t n = read(c->fd, buf, sizeof(buf));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno == EAGAIN ? 1 : -errno;
                if (n == 0)
                        return 0;
                size_t take = MIN((size_t) n, c->max - c->size);
                if (take < (size_t) n && !c->drop)
                        return -EFBIG;
                if (!GREEDY_REALLOC(c->data, c->allocated, c->size + take + 1))
                        return -ENOMEM;
                memcpy(c->data + c->size, buf, take);
                c->size += take;
                c->data[c->size] = 0;
        }
}

static int wait_remaining(usec_t deadline) {
        usec_t now = now_monotonic();

        if (deadline == USEC_INFINITY)
                return -1;
        return now >= deadline ? 0 : (int) MIN((deadline - now) / USEC_PER_MSEC + 1, (usec_t) INT32_MAX);
}

/* Until the child is dead (0) or something is wrong. */
static int watch(pid_t pid, Collector *out, Collector *err, usec_t timeout, int cancel_fd) {
        usec_t deadline = timeout > 0 ? now_monotonic() + timeout : USEC_INFINITY;
        _cleanup_close_ int pid_fd = pidfd_open(pid, 0);
        struct pollfd p[] = {
                { .fd = pid_fd, .events = POLLIN },
                { .fd = cancel_fd, .events = POLLIN },
                { .fd = out->fd, .events = POLLIN },
                { .fd = err->fd, .events = POLLIN },
        };

        if (pid_fd < 0)
                return -errno;
        for (;;) {
                int r = poll(p, ELEMENTSOF(p), wait_remaining(deadline));
                if (r < 0 && errno == EINTR)
                        continue;
                if (r < 0)
                        return -errno;
                if (r == 0)
                        return -ETIMEDOUT;
                if (p[1].revents)
                        return -ECANCELED;
                bool ended = p[0].revents;
                for (size_t i = 2; i < ELEMENTSOF(p); i++)
                        if (p[i].fd >= 0 && (p[i].revents || ended)) {
                                r = collector_read(i == 2 ? out : err);
                                if (r < 0)
                                        return r;
                                if (r == 0)
                                        p[i].fd = -1;
                        }
                if (ended)
                        return 0;
        }
}

int child_run(const char *const argv[], const ChildLimits *limits, int cancel_fd, ChildOutput *ret) {
        int out[2], err[2], status, r;
        pid_t pid;

        if (pipe2(out, O_CLOEXEC) < 0)
                return -errno;
        _cleanup_close_ int out_read = out[0];
        _cleanup_close_ int out_write = out[1];
        if (pipe2(err, O_CLOEXEC) < 0)
                return -errno;
        _cleanup_close_ int err_read = err[0];
        _cleanup_close_ int err_write = err[1];
        if (fcntl(out_read, F_SETFL, O_NONBLOCK) < 0 || fcntl(err_read, F_SETFL, O_NONBLOCK) < 0)
                return -errno;

        r = child_spawn(argv, limits, -1, out_write, err_write, &pid);
        if (r < 0)
                return r;
        out_write = safe_close(out_write);
        err_write = safe_close(err_write);

        Collector o = { .fd = out_read, .max = limits->output_max };
        Collector e = { .fd = err_read, .max = ERRORS_MAX, .drop = true };
        r = watch(pid, &o, &e, limits->timeout, cancel_fd);
        if (r < 0)
                (void) kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR) {
                        r = -errno;
                        break;
                }
        if (r >= 0 && !o.data && !(o.data = strdup("")))
                r = -ENOMEM;
        if (r >= 0 && !e.data && !(e.data = strdup("")))
                r = -ENOMEM;
        if (r < 0) {
                free(o.data);
                free(e.data);
                return r;
        }
        child_clean_text(e.data);
        *ret = (ChildOutput){ .status = status, .output = o.data, .size = o.size, .errors = e.data };
        return 0;
}

void child_clean_text(char *s) {
        bool utf8 = utf8_is_valid(s);

        for (char *p = s; *p; p++)
                if (((unsigned char) *p < 0x20 && *p != '\n') || *p == 0x7f ||
                                (!utf8 && (unsigned char) *p >= 0x80))
                        *p = '?';
}

char *child_status_text(int status) {
        if (WIFEXITED(status))
                return strprintf("exited with status %d", WEXITSTATUS(status));
        if (WIFSIGNALED(status))
                return strprintf("was killed by signal %d (%s)", WTERMSIG(status),
                                strsignal(WTERMSIG(status)));
        return strprintf("ended with status 0x%x", (unsigned) status);
}
