/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "api/http/linger.h"
#include "basic/fd-util.h"
#include "basic/macro.h"

struct Linger {
        Lingers *all;
        LIST_ENTRY(Linger) list;
        sd_event_source *io, *timer;
        size_t n_read;
        int fd;
};

static Linger *linger_free(Linger *l) {
        if (!l)
                return NULL;
        sd_event_source_disable_unref(l->io);
        sd_event_source_disable_unref(l->timer);
        safe_close(l->fd);
        free(l);
        return NULL;
}
DEFINE_CLEANUP_FUNC(Linger *, linger_free);

static void linger_end(Linger *l) {
        LIST_REMOVE(l, list);
        l->all->n--;
        linger_free(l);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        static uint8_t dropped[64 * 1024];
        Linger *l = userdata;
        ssize_t n;

        n = recv(fd, dropped, sizeof(dropped), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n > 0) {
                l->n_read += (size_t) n;
                if (l->n_read < LINGER_BYTES)
                        return 0;
        }
        linger_end(l);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        linger_end(userdata);
        return 0;
}

void linger_start(Lingers *all, sd_event *event, int fd) {
        _cleanup_(linger_freep) Linger *l = NULL;

        if (all->n >= LINGER_MAX)
                return;
        l = new0(Linger, 1);
        if (!l)
                return;
        l->all = all;
        l->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (l->fd < 0 || sd_event_add_io(event, &l->io, l->fd, EPOLLIN, on_io, l) < 0 ||
                        sd_event_add_time_relative(event, &l->timer, CLOCK_MONOTONIC, LINGER_TIME,
                                        USEC_PER_SEC, on_timer, l) < 0)
                return;
        LIST_INSERT_HEAD(&all->list, l, list);
        all->n++;
        TAKE_PTR(l);
}

void linger_stop_all(Lingers *all) {
        Linger *l;

        while ((l = LIST_FIRST(&all->list)))
                linger_end(l);
}
