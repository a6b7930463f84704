/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/look-serve.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <systemd/sd-daemon.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "job/look.h"
#include "spec/inspection.h"
#include "json/json-table.h"

/* Reading the tables of a large image may take longer; then the size of its disk is not known. */
#define TIME 8

/* The open file, and its name. */
static int receive(int socket, int *ret_fd, char name[static INSPECTION_NAME_MAX + 1]) {
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(sizeof(int))];
        } control;
        struct iovec text = { .iov_base = name, .iov_len = INSPECTION_NAME_MAX };
        struct msghdr m = {
                .msg_iov = &text, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
        };
        ssize_t n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
        const struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;

        if (n < 0)
                return -errno;
        if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
                        c->cmsg_len != CMSG_LEN(sizeof(int)))
                return -EBADMSG;
        name[n] = '\0';
        memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
        return 0;
}

static int send_all(int socket, const char *text) {
        for (size_t left = strlen(text); left > 0;) {
                ssize_t n = send(socket, text, left, MSG_NOSIGNAL);

                if (n < 0 && errno != EINTR)
                        return -errno;
                text += MAX(n, (ssize_t) 0);
                left -= (size_t) MAX(n, (ssize_t) 0);
        }
        return 0;
}

static int serve(int socket) {
        static const struct itimerspec when = { .it_value.tv_sec = TIME };
        _cleanup_close_ int fd = -EBADF, timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        char name[INSPECTION_NAME_MAX + 1];
        _cleanup_json_ json_t *answer = NULL;
        _cleanup_free_ char *text = NULL;
        int r;

        if (timer < 0 || timerfd_settime(timer, 0, &when, NULL) < 0)
                return -errno;
        r = receive(socket, &fd, name);
        if (r >= 0)
                r = look_at(fd, name, timer, &answer);
        /* The caller is told why the file cannot be read. */
        if (r < 0)
                answer = json_pack("{s:i}", "error", -r);
        text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
        return text ? send_all(socket, text) : -ENOMEM;
}

int verb_look(int argc, char *argv[]) {
        int r = argc == 0 && sd_listen_fds(/* unset_environment= */ true) == 1 ? 0 : -EINVAL;

        if (r < 0) {
                log_error("\"hyper-job look\" serves one connection that systemd hands it.");
                return EXIT_FAILURE;
        }
        r = serve(SD_LISTEN_FDS_START);
        if (r < 0)
                log_error_errno(r, "Failed to look into a file: %m");
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
