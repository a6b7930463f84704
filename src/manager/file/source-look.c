/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/file/source-look.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/safe-open.h"
#include "basic/string-util.h"
#include "manager/path-look.h"
#include "manager/source-ovf.h"
#include "spec/inspection.h"

#define FIELD "source.path"
/* Longer than hyper-job may take, hyper-inspect@.service. */
#define TIMEOUT_SECONDS 30

/* --- the file -------------------------------------------------------------------------------------- */

/* What was checked is what is opened. */
static int open_checked(const char *path, const struct stat *checked, int *ret_fd) {
        _cleanup_close_ int fd = open_no_symlinks(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
        struct stat st;

        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_dev != checked->st_dev || st.st_ino != checked->st_ino)
                return -ESTALE;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* A directory stands for the OVF in it. */
static int find_ovf(const PathRules *rules, char **real, struct stat *st, JsonErrors *errors) {
        _cleanup_free_ char *ovf = NULL, *path = NULL;
        int r = source_ovf_in_directory(*real, &ovf);

        if (r == -ENOENT)
                return path_refuse(errors, -EBADMSG, FIELD, *real, "there is no OVF in this directory");
        if (r == -ENOTUNIQ)
                return path_refuse(errors, -EBADMSG, FIELD, *real,
                                "there are several OVFs in this directory: give the path of one");
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return path_refuse(errors, -EBADMSG, FIELD, *real, strerror(-r));
        r = path_resolve(rules, false, FIELD, ovf, false, &path, st, errors);
        if (r < 0)
                return r;
        free(*real);
        *real = TAKE_PTR(path);
        return 0;
}

static int open_source(
                const PathRules *rules, const char *path, int *ret_fd, char **ret_real, JsonErrors *errors) {
        _cleanup_free_ char *real = NULL;
        struct stat st;
        int r = path_resolve(rules, false, FIELD, path, true, &real, &st, errors);

        if (r >= 0 && S_ISDIR(st.st_mode))
                r = find_ovf(rules, &real, &st, errors);
        if (r < 0)
                return r;
        if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
                return path_refuse(errors, -EBADMSG, FIELD, path,
                                "it is neither a regular file nor a block device");
        r = open_checked(real, &st, ret_fd);
        if (r < 0)
                return r == -ENOMEM ? r : path_refuse(errors, -EBADMSG, FIELD, path, strerror(-r));
        *ret_real = TAKE_PTR(real);
        return 0;
}

/* --- hyper-job ------------------------------------------------------------------------------------- */

static int connect_to(const char *path) {
        static const struct timeval timeout = { .tv_sec = TIMEOUT_SECONDS };
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
                        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0 ||
                        connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static int send_file(int socket, int file, const char *name) {
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(sizeof(int))];
        } control = { .header = { .cmsg_level = SOL_SOCKET,
                                      .cmsg_type = SCM_RIGHTS,
                                      .cmsg_len = CMSG_LEN(sizeof(int)) } };
        struct iovec text = { .iov_base = (char *) name, .iov_len = strlen(name) };
        struct msghdr m = {
                .msg_iov = &text, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
        };

        memcpy(CMSG_DATA(&control.header), &file, sizeof(int));
        return sendmsg(socket, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int read_answer(int socket, char **ret, size_t *ret_size) {
        _cleanup_free_ char *text = malloc(INSPECTION_MAX + 1);
        size_t size = 0;

        if (!text)
                return -ENOMEM;
        while (size <= INSPECTION_MAX) {
                ssize_t n = recv(socket, text + size, INSPECTION_MAX + 1 - size, 0);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                size += (size_t) n;
        }
        *ret = TAKE_PTR(text);
        *ret_size = size;
        return 0;
}

static int ask(const char *socket_path, int file, const char *name, json_t **ret) {
        _cleanup_close_ int socket = connect_to(socket_path);
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        int r = socket < 0 ? socket : send_file(socket, file, name);

        if (r >= 0)
                r = read_answer(socket, &text, &size);
        return r < 0 ? r : inspection_decode(text, size, ret);
}

/* --- both ------------------------------------------------------------------------------------------ */

json_t *disks_size(const json_t *disks) {
        const json_t *disk;
        json_int_t sum = 0;
        size_t i;

        json_array_foreach(disks, i, disk) {
                json_int_t size = json_integer_value(json_object_get(disk, "size"));

                if (size <= 0 || __builtin_add_overflow(sum, size, &sum))
                        return json_null();
        }
        return sum > 0 ? json_integer(sum) : json_null();
}

static const char *name_of(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash && slash[1] ? slash + 1 : path;
}

int source_look(const PathRules *rules, const char *path, const char *socket, json_t **ret,
                JsonErrors *errors) {
        _cleanup_json_ json_t *found = NULL;
        _cleanup_free_ char *real = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r = open_source(rules, path, &fd, &real, errors);

        if (r < 0)
                return r;
        r = ask(socket, fd, name_of(real), &found);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                log_warning_errno(r, "Failed to have %s inspected: %m", real);
                return -EAGAIN;
        }
        if (json_object_update_new(found,
                            json_pack("{s:s, s:s, s:o}", "type", "file", "path", path, "size",
                                            disks_size(json_object_get(found, "disks")))) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(found);
        return 0;
}
