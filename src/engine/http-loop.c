/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/timerfd.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "engine/http-loop.h"

static void arm(HttpLoop *l) {
        usec_t at = MIN(l->curl_at, l->own_at);
        struct itimerspec spec = {};

        if (at != USEC_INFINITY) {
                spec.it_value.tv_sec = (time_t) (at / USEC_PER_SEC);
                spec.it_value.tv_nsec =
                                (long) (at % USEC_PER_SEC * NSEC_PER_USEC) + 1; /* 0 would disarm it */
        }
        (void) timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static int on_timer(_unused_ CURLM *multi, long timeout_msec, void *userdata) {
        HttpLoop *l = userdata;

        l->curl_at = timeout_msec < 0 ? USEC_INFINITY
                                      : now_monotonic() + (usec_t) timeout_msec * USEC_PER_MSEC;
        arm(l);
        return 0;
}

static size_t find_socket(const HttpLoop *l, int fd) {
        size_t i = 0;

        while (i < l->n_sockets && l->sockets[i].fd != fd)
                i++;
        return i;
}

static int on_socket(
                _unused_ CURL *easy, curl_socket_t fd, int what, void *userdata, _unused_ void *of_socket) {
        HttpLoop *l = userdata;
        size_t i = find_socket(l, fd);

        if (what == CURL_POLL_REMOVE) {
                if (i < l->n_sockets)
                        l->sockets[i] = l->sockets[--l->n_sockets];
                return 0;
        }
        if (i == ELEMENTSOF(l->sockets)) {
                l->overflow = true;
                return 0;
        }
        l->sockets[i] = (struct pollfd){
                .fd = fd,
                .events = (short) ((what & CURL_POLL_IN ? POLLIN : 0) |
                                (what & CURL_POLL_OUT ? POLLOUT : 0)),
        };
        l->n_sockets = MAX(l->n_sockets, i + 1);
        return 0;
}

int http_loop_init(HttpLoop *l, unsigned connections) {
        *l = (HttpLoop){ .timer_fd = -EBADF, .curl_at = USEC_INFINITY, .own_at = USEC_INFINITY };
        l->multi = curl_multi_init();
        if (!l->multi)
                return -ENOMEM;
        l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        if (l->timer_fd < 0)
                return -errno;
        if (curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_socket) != CURLM_OK ||
                        curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l) != CURLM_OK ||
                        curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_timer) != CURLM_OK ||
                        curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l) != CURLM_OK ||
                        curl_multi_setopt(l->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long) connections) !=
                                        CURLM_OK ||
                        curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, (long) connections) != CURLM_OK)
                return -ENOMEM;
        return 0;
}

void http_loop_done(HttpLoop *l) {
        if (l->multi)
                (void) curl_multi_cleanup(l->multi);
        l->multi = NULL;
        l->timer_fd = safe_close(l->timer_fd);
}

size_t http_loop_wait(HttpLoop *l, struct pollfd *fds, size_t max) {
        size_t n = 0;

        if (n < max)
                fds[n++] = (struct pollfd){ .fd = l->timer_fd, .events = POLLIN };
        for (size_t i = 0; i < l->n_sockets && n < max; i++)
                fds[n++] = l->sockets[i];
        return n;
}

static int action(HttpLoop *l, curl_socket_t fd, int events) {
        int running;

        return curl_multi_socket_action(l->multi, fd, events, &running) == CURLM_OK ? 0 : -ENOMEM;
}

static int on_timer_fd(HttpLoop *l) {
        usec_t now = now_monotonic();
        uint64_t expirations;

        (void) !read(l->timer_fd, &expirations, sizeof(expirations));
        if (l->own_at <= now)
                l->own_at = USEC_INFINITY;
        bool due = l->curl_at <= now;
        if (due)
                l->curl_at = USEC_INFINITY;
        arm(l);
        return due ? action(l, CURL_SOCKET_TIMEOUT, 0) : 0;
}

int http_loop_dispatch(HttpLoop *l, const struct pollfd *fds, size_t n) {
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++) {
                short found = fds[i].revents;

                if (found == 0)
                        continue;
                if (fds[i].fd == l->timer_fd)
                        r = on_timer_fd(l);
                else
                        r = action(l, fds[i].fd,
                                        (found & (POLLIN | POLLHUP) ? CURL_CSELECT_IN : 0) |
                                                        (found & POLLOUT ? CURL_CSELECT_OUT : 0) |
                                                        (found & (POLLERR | POLLNVAL) ? CURL_CSELECT_ERR
                                                                                      : 0));
        }
        return r < 0 ? r : l->overflow ? -EMFILE : 0;
}

void http_loop_wake_at(HttpLoop *l, usec_t at) {
        if (at >= l->own_at)
                return;
        l->own_at = at;
        arm(l);
}
