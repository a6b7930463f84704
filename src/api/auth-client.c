/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "api/auth-client.h"
#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"

struct AuthCall {
        TAILQ_ENTRY(AuthCall) calls;
        AuthClient *client;
        char *question; /* wiped when it is sent */
        auth_answer_func func; /* NULL: dropped */
        void *userdata;
        int fd; /* negative: it waits for its turn */
        sd_event_source *io, *timer;
        size_t n;
        char answer[AUTH_MESSAGE_MAX];
};

struct AuthClient {
        sd_event *event;
        char *socket;
        TAILQ_HEAD(, AuthCall) sent, waiting;
        unsigned n_sent, n_waiting;
};

static AuthCall *auth_call_free(AuthCall *call) {
        if (!call)
                return NULL;
        sd_event_source_disable_unref(call->io);
        sd_event_source_disable_unref(call->timer);
        safe_close(call->fd);
        wipe_and_free(call->question);
        explicit_bzero(call->answer, call->n);
        return mfree(call);
}
DEFINE_CLEANUP_FUNC(AuthCall *, auth_call_free);

static void send_waiting(AuthClient *c);

/* @answer may be NULL. Frees the call. */
static void finish(AuthCall *call, const AuthAnswer *answer) {
        AuthClient *c = call->client;

        if (call->fd < 0) {
                TAILQ_REMOVE(&c->waiting, call, calls);
                c->n_waiting--;
        } else {
                TAILQ_REMOVE(&c->sent, call, calls);
                c->n_sent--;
        }
        if (call->func)
                call->func(answer, call->userdata);
        auth_call_free(call);
        send_waiting(c);
}

static void read_answer(AuthCall *call) {
        _cleanup_(auth_answer_done) AuthAnswer answer = {};
        const char *end = memchr(call->answer, '\n', call->n);
        int r = end ? auth_answer_decode(call->answer, (size_t) (end - call->answer), &answer) : -EBADMSG;

        if (r < 0)
                log_warning_errno(r, "hyper-auth has ended without an answer: %m");
        finish(call, r < 0 ? NULL : &answer);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        AuthCall *call = userdata;
        ssize_t k;

        k = recv(fd, call->answer + call->n, sizeof(call->answer) - call->n, MSG_DONTWAIT);
        if (k < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (k > 0)
                call->n += (size_t) k;
        if (k <= 0 || call->n == sizeof(call->answer))
                read_answer(call);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        AuthCall *call = userdata;

        if (call->fd >= 0)
                log_warning("hyper-auth does not answer; a PAM module may hang.");
        finish(call, NULL);
        return 0;
}

static int open_socket(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -EBADF;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

/* A question fits into the buffer of a socket, which is empty. */
static int send_question(AuthCall *call) {
        AuthClient *c = call->client;
        _cleanup_close_ int fd = open_socket(c->socket);
        size_t size = strlen(call->question);
        ssize_t k;

        if (fd < 0)
                return fd;
        k = send(fd, call->question, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (k != (ssize_t) size)
                return k < 0 ? -errno : -EIO;
        call->question = wipe_and_free(call->question);
        int r = sd_event_add_io(c->event, &call->io, fd, EPOLLIN, on_io, call);
        if (r < 0)
                return r;
        TAILQ_REMOVE(&c->waiting, call, calls);
        c->n_waiting--;
        call->fd = TAKE_FD(fd);
        TAILQ_INSERT_TAIL(&c->sent, call, calls);
        c->n_sent++;
        return 0;
}

static void send_waiting(AuthClient *c) {
        while (c->n_sent < AUTH_CALLS_MAX && !TAILQ_EMPTY(&c->waiting)) {
                AuthCall *call = TAILQ_FIRST(&c->waiting);
                int r = send_question(call);

                if (r >= 0)
                        continue;
                log_error_errno(r, "Failed to ask hyper-auth at %s: %m", c->socket);
                /* From the loop, since the caller may not have returned yet. */
                (void) sd_event_source_set_time(call->timer, 0);
                return;
        }
}

int auth_client_call(
                AuthClient *c, const AuthRequest *q, auth_answer_func func, void *userdata, AuthCall **ret) {
        _cleanup_(auth_call_freep) AuthCall *call = NULL;
        int r;

        if (c->n_waiting >= AUTH_WAITING_MAX)
                return -EAGAIN;
        call = new0(AuthCall, 1);
        if (!call)
                return -ENOMEM;
        call->client = c;
        call->fd = -EBADF;
        call->func = func;
        call->userdata = userdata;
        call->question = auth_request_encode(q);
        if (!call->question)
                return -ENOMEM;
        r = sd_event_add_time_relative(
                        c->event, &call->timer, CLOCK_MONOTONIC, AUTH_TIMEOUT, 0, on_timer, call);
        if (r < 0)
                return r;
        TAILQ_INSERT_TAIL(&c->waiting, call, calls);
        c->n_waiting++;
        *ret = TAKE_PTR(call);
        send_waiting(c);
        return 0;
}

void auth_call_drop(AuthCall *call) {
        call->func = NULL;
        if (call->fd < 0)
                finish(call, NULL);
}

int auth_client_new(sd_event *event, const char *socket, AuthClient **ret) {
        AuthClient *c = new0(AuthClient, 1);

        if (!c)
                return -ENOMEM;
        TAILQ_INIT(&c->sent);
        TAILQ_INIT(&c->waiting);
        c->socket = strdup(socket);
        if (!c->socket) {
                free(c);
                return -ENOMEM;
        }
        c->event = sd_event_ref(event);
        *ret = c;
        return 0;
}

AuthClient *auth_client_free(AuthClient *c) {
        AuthCall *call;

        if (!c)
                return NULL;
        while ((call = TAILQ_FIRST(&c->sent))) {
                TAILQ_REMOVE(&c->sent, call, calls);
                auth_call_free(call);
        }
        while ((call = TAILQ_FIRST(&c->waiting))) {
                TAILQ_REMOVE(&c->waiting, call, calls);
                auth_call_free(call);
        }
        sd_event_unref(c->event);
        free(c->socket);
        return mfree(c);
}
