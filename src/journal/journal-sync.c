/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* journald's varlink interface, io.systemd.Journal: a request and its answer are one JSON object each,
 * followed by a zero byte (https://varlink.org/Wire-Protocol). */

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "basic/fd-util.h"
#include "journal/journal-sync.h"

#define JOURNAL_SOCKET "/run/systemd/journal/io.systemd.journal"

static int connect_journald(usec_t timeout) {
        static const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };
        const struct timeval limit = { .tv_sec = (time_t) (timeout / USEC_PER_SEC),
                .tv_usec = (suseconds_t) (timeout % USEC_PER_SEC) };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
                        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
                        connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int journal_sync(usec_t timeout) {
        static const char request[] = "{\"method\":\"io.systemd.Journal.Synchronize\"}";
        _cleanup_close_ int fd = connect_journald(timeout);
        char answer[256];
        size_t n = 0;

        if (fd < 0)
                return fd;
        /* The zero byte, too */
        if (send(fd, request, sizeof(request), MSG_NOSIGNAL) != (ssize_t) sizeof(request))
                return errno == EAGAIN ? -ETIMEDOUT : -EIO;
        while (n < sizeof(answer)) {
                ssize_t k = recv(fd, answer + n, sizeof(answer) - n, 0);

                if (k < 0)
                        return errno == EAGAIN ? -ETIMEDOUT : -errno;
                if (k == 0)
                        return -ECONNRESET;
                n += (size_t) k;
                if (answer[n - 1] == 0)
                        return strstr(answer, "\"error\"") ? -EPROTO : 0;
        }
        return -EPROTO;
}
