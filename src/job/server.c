/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "job/complaint.h"
#include "job/server.h"
#include "json/json-table.h"

#define START_TIMEOUT (60 * USEC_PER_SEC)
#define STOP_TIMEOUT (300 * USEC_PER_SEC)
#define HANGUP_TIMEOUT (500 * USEC_PER_MSEC) /* for a server that hung up to end */
#define ERRORS_MAX ((size_t) 64 * 1024)

typedef struct Server {
        const char *program; /* of the group */
        pid_t pid; /* 0: reaped */
        int pid_fd;
        int err_fd; /* its standard error; never blocks it: what does not fit is lost */
        int status;
        char *socket;
        char *errors; /* not yet told */
        char *said; /* all of it, as far as it is kept */
} Server;

struct ServerGroup {
        char *program;
        Server servers[SERVERS_MAX];
        char *sockets[SERVERS_MAX + 1];
        unsigned n;
};

unsigned servers_for_reading(void) {
        cpu_set_t set;
        int n = sched_getaffinity(0, sizeof(set), &set) < 0 ? 2 : CPU_COUNT(&set);

        return (unsigned) CLAMP(n, 2, SERVERS_MAX);
}

/* --- one server ------------------------------------------------------------------------------------ */

static void server_done(Server *s) {
        if (s->pid > 0)
                child_kill(s->pid);
        s->pid = 0;
        s->pid_fd = safe_close(s->pid_fd);
        s->err_fd = safe_close(s->err_fd);
        if (s->socket)
                (void) unlink(s->socket);
        s->socket = mfree(s->socket);
        s->errors = mfree(s->errors);
        s->said = mfree(s->said);
}

static int listen_on(const char *path) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };

        if (strlen(path) >= sizeof(sa.sun_path))
                return -ENAMETOOLONG;
        strcpy(sa.sun_path, path);
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (bind(fd, (struct sockaddr *) &sa, sizeof(sa)) < 0 || listen(fd, 64) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static int connect_to(const char *path) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };

        strcpy(sa.sun_path, path); /* listen_on() had it before */
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        return connect(fd, (struct sockaddr *) &sa, sizeof(sa)) < 0 ? -errno : TAKE_FD(fd);
}

static int server_spawn(Server *s, const char *const argv[], const ChildLimits *limits) {
        int p[2];

        _cleanup_close_ int listen_fd = listen_on(s->socket);
        if (listen_fd < 0)
                return listen_fd;
        /* Both ends do not block: a server that has much to complain about loses words, not time. */
        if (pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        s->err_fd = p[0];
        _cleanup_close_ int write_fd = p[1];
        int r = child_spawn(argv, limits, listen_fd, -1, write_fd, &s->pid);
        if (r < 0)
                return r;
        s->pid_fd = pidfd_open(s->pid, 0);
        return s->pid_fd < 0 ? -errno : 0;
}

/* Adds to a text that is bounded. */
static void append(char **text, const char *more) {
        size_t old = *text ? strlen(*text) : 0;
        char *joined = old + strlen(more) <= ERRORS_MAX ? strprintf("%s%s", strempty(*text), more) : NULL;

        if (!joined)
                return;
        free(*text);
        *text = joined;
}

static void server_read_errors(Server *s) {
        char buf[4096];
        ssize_t n;

        while (s->err_fd >= 0 && (n = read(s->err_fd, buf, sizeof(buf) - 1)) > 0) {
                buf[n] = 0;
                if (strlen(buf) < (size_t) n)
                        continue; /* no text */
                child_clean_text(buf);
                append(&s->errors, buf);
                append(&s->said, buf);
        }
}

/* Reaps it if it has ended. */
static bool server_is_dead(Server *s) {
        if (s->pid > 0 && waitpid(s->pid, &s->status, WNOHANG) == s->pid)
                s->pid = 0;
        return s->pid == 0;
}

static char *server_last_words(Server *s) {
        server_read_errors(s);
        _cleanup_free_ char *how = child_status_text(s->status);
        char *said = s->said ? complaint_text(s->said) : NULL;

        return said ? said : strprintf("%s %s without a word", s->program, strna(how));
}

/* The oldstyle part of a server's greeting, and a client's polite way to leave at once, as
 * https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md has them: so that the server does not
 * complain about us. */
#define GREETING_SIZE 18
static const unsigned char goodbye[] = {
        0, 0, 0, 1, /* client flags: fixed newstyle */
        'I', 'H', 'A', 'V', 'E', 'O', 'P', 'T', /* an option follows */
        0, 0, 0, 2, /* NBD_OPT_ABORT */
        0, 0, 0, 0, /* without data */
};

/* 1: greeted, 0: more to come, -ECONNRESET: closed. */
static int read_greeting(int fd, size_t *done) {
        char greeting[GREETING_SIZE];

        ssize_t n = recv(fd, greeting, sizeof(greeting) - *done, MSG_DONTWAIT);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -ECONNRESET;
        if (n == 0)
                return -ECONNRESET;
        *done += (size_t) n;
        if (*done < sizeof(greeting))
                return 0;
        (void) send(fd, goodbye, sizeof(goodbye), MSG_DONTWAIT | MSG_NOSIGNAL);
        return 1;
}

/* One that ends at once does not listen any more. */
static int server_wait_end(Server *s, usec_t deadline, char **ret_error) {
        struct pollfd p = { .fd = s->pid_fd, .events = POLLIN };
        usec_t now = now_monotonic();

        if (poll(&p, 1, now >= deadline ? 0 : (int) ((deadline - now) / USEC_PER_MSEC + 1)) < 0)
                return -errno;
        if (!server_is_dead(s))
                return -ECONNREFUSED;
        *ret_error = server_last_words(s);
        return *ret_error ? -ESRCH : -ENOMEM;
}

/* It greets once the image is open. */
static int server_wait_greeting(Server *s, int cancel_fd, usec_t deadline, char **ret_error) {
        _cleanup_close_ int fd = connect_to(s->socket);
        size_t done = 0;

        if (fd < 0)
                return fd == -ECONNREFUSED ? server_wait_end(s, deadline, ret_error) : fd;
        struct pollfd p[] = {
                { .fd = fd, .events = POLLIN },
                { .fd = s->pid_fd, .events = POLLIN },
                { .fd = cancel_fd, .events = POLLIN },
        };
        for (;;) {
                usec_t now = now_monotonic();
                int r = poll(p, ELEMENTSOF(p),
                                now >= deadline ? 0 : (int) ((deadline - now) / USEC_PER_MSEC + 1));
                if (r < 0 && errno == EINTR)
                        continue;
                if (r < 0)
                        return -errno;
                if (r == 0)
                        return -ETIMEDOUT;
                if (p[2].revents)
                        return -ECANCELED;
                r = p[0].revents ? read_greeting(fd, &done) : 0;
                if (r > 0)
                        return 0;
                if (r < 0)
                        p[0].fd = -1; /* it is about to end */
                if (p[1].revents && server_is_dead(s)) {
                        *ret_error = server_last_words(s);
                        return *ret_error ? -ESRCH : -ENOMEM;
                }
        }
}

/* --- the group ------------------------------------------------------------------------------------- */

ServerGroup *server_group_free(ServerGroup *g) {
        if (!g)
                return NULL;
        for (unsigned i = 0; i < g->n; i++)
                server_done(&g->servers[i]);
        free(g->program);
        free(g);
        return NULL;
}

int server_group_start(json_t *options, const ParserFiles *files, unsigned n, bool writable,
                const char *directory, int cancel_fd, ServerGroup **ret, char **ret_error) {
        _cleanup_free_ char *json = json_dumps(options, JSON_COMPACT), *text = NULL;
        const ChildLimits limits = { .files = files };

        text = json ? strprintf("json:%s", json) : NULL;
        if (!text)
                return -ENOMEM;
        const char *const read_argv[] = { "qemu-nbd", "--persistent", "--shared=64", "--read-only", text,
                NULL };
        const char *const write_argv[] = { "qemu-nbd", "--persistent", "--shared=64", "--discard=unmap",
                "--detect-zeroes=unmap", text, NULL };
        return server_group_start_program(
                        writable ? write_argv : read_argv, &limits, n, directory, cancel_fd, ret, ret_error);
}

int server_group_start_program(const char *const argv[], const ChildLimits *limits, unsigned n,
                const char *directory, int cancel_fd, ServerGroup **ret, char **ret_error) {
        static unsigned counter;
        _cleanup_servers_ ServerGroup *g = new0(ServerGroup, 1);
        usec_t deadline = now_monotonic() + START_TIMEOUT;
        int r;

        if (!g)
                return -ENOMEM;
        assert(n >= 1 && n <= SERVERS_MAX);
        g->program = strdup(argv[0]);
        if (!g->program)
                return -ENOMEM;
        for (unsigned i = 0; i < n; i++) {
                Server *s = &g->servers[g->n++];
                *s = (Server){ .program = g->program, .pid_fd = -EBADF, .err_fd = -EBADF };
                g->sockets[i] = s->socket = strprintf("%s/nbd%u", directory, counter++);
                if (!s->socket)
                        return -ENOMEM;
                r = server_spawn(s, argv, limits);
                if (r < 0)
                        return r;
        }
        for (unsigned i = 0; i < n; i++) {
                r = server_wait_greeting(&g->servers[i], cancel_fd, deadline, ret_error);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(g);
        return 0;
}

static int server_stop(Server *s, usec_t deadline, char **ret_error) {
        struct pollfd p = { .fd = s->pid_fd, .events = POLLIN };

        if (s->pid > 0 && kill(s->pid, SIGTERM) < 0)
                return -errno;
        for (;;) {
                usec_t now = now_monotonic();
                int r = poll(&p, 1, now >= deadline ? 0 : (int) ((deadline - now) / USEC_PER_MSEC + 1));
                if (r < 0 && errno == EINTR)
                        continue;
                if (r < 0)
                        return -errno;
                if (r == 0)
                        return -ETIMEDOUT;
                break;
        }
        if (!server_is_dead(s) || (WIFEXITED(s->status) && WEXITSTATUS(s->status) == 0))
                return 0;
        *ret_error = server_last_words(s);
        return *ret_error ? -ESRCH : -ENOMEM;
}

int server_group_stop(ServerGroup *g, char **ret_error) {
        usec_t deadline = now_monotonic() + STOP_TIMEOUT;

        for (unsigned i = 0; i < g->n; i++) {
                int r = server_stop(&g->servers[i], deadline, ret_error);
                if (r < 0)
                        return r;
        }
        return 0;
}

const char *server_group_program(const ServerGroup *g) {
        return g->program;
}

char *const *server_group_sockets(const ServerGroup *g) {
        return (char *const *) g->sockets;
}

/* Closing its sockets is not yet the end of a process. */
static void wait_for_end(ServerGroup *g) {
        struct pollfd p[SERVERS_MAX];

        for (unsigned i = 0; i < g->n; i++)
                p[i] = (struct pollfd){ .fd = g->servers[i].pid > 0 ? g->servers[i].pid_fd : -1,
                        .events = POLLIN };
        (void) poll(p, g->n, (int) (HANGUP_TIMEOUT / USEC_PER_MSEC));
}

char *server_group_obituary(ServerGroup *g, bool wait) {
        for (unsigned pass = 0; pass < (wait ? 2 : 1); pass++) {
                if (pass > 0)
                        wait_for_end(g);
                for (unsigned i = 0; i < g->n; i++) {
                        Server *s = &g->servers[i];
                        if (!server_is_dead(s))
                                continue;
                        server_read_errors(s);
                        _cleanup_free_ char *how = child_status_text(s->status);
                        _cleanup_free_ char *said = s->said ? complaint_text(s->said) : NULL;
                        return strprintf("%s %s%s%s", s->program, strempty(how), said ? ": " : "",
                                        strempty(said));
                }
        }
        return NULL;
}

char *server_group_complaint(ServerGroup *g) {
        _cleanup_free_ char *all = NULL;

        for (unsigned i = 0; i < g->n; i++) {
                server_read_errors(&g->servers[i]);
                if (g->servers[i].said)
                        append(&all, g->servers[i].said);
        }
        return all ? complaint_text(all) : NULL;
}

char *server_group_errors(ServerGroup *g) {
        _cleanup_free_ char *all = NULL;

        for (unsigned i = 0; i < g->n; i++) {
                Server *s = &g->servers[i];
                server_read_errors(s);
                if (!s->errors)
                        continue;
                char *joined = strprintf("%s%s", strempty(all), s->errors);
                if (!joined)
                        return NULL;
                free(all);
                all = joined;
                s->errors = mfree(s->errors);
        }
        return TAKE_PTR(all);
}
