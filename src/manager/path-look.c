/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/path-look.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"

/* Of a longer path the end is left out: the reason must not be. */
#define SHOWN_PATH_MAX 512

int path_refuse(JsonErrors *errors, int r, const char *field, const char *path, const char *text) {
        int k = json_errors_add(errors, field, "%.*s%s: %s", SHOWN_PATH_MAX, path,
                        strlen(path) > SHOWN_PATH_MAX ? "…" : "", text);

        return k < 0 ? k : r;
}

/* What open(2) says of a path, for people. */
static const char *open_error(const char *path, int error, bool follow, char **buffer) {
        if ((error == -ENOENT || error == -ENOTDIR) && path_is_device(path))
                return "there is no such block device on this machine; one of another machine is reached "
                       "through an NBD "
                       "server there (type \"nbd\")";
        if (error == -ENOENT || error == -ENOTDIR)
                return "there is no such file or directory";
        if (error == -ELOOP)
                return follow ? "its symbolic links lead nowhere"
                              : "a symbolic link was put into it since the job was submitted";
        return *buffer = strprintf("it cannot be opened: %s", strerror(-error));
}

int path_refuse_place(
                const char *field, const char *path, bool destination, const char *why, JsonErrors *errors) {
        _cleanup_free_ char *text =
                        strprintf("%s may not be here: %s", destination ? "a destination" : "a source", why);

        return text ? path_refuse(errors, -EPERM, field, path, text) : -ENOMEM;
}

int path_resolve(const PathRules *rules, bool destination, const char *field, const char *path, bool follow,
                char **ret_path, struct stat *ret_stat, JsonErrors *errors) {
        _cleanup_free_ char *real = NULL, *text = NULL;
        _cleanup_close_ int fd = -EBADF;
        const char *why = NULL;
        struct stat st;

        fd = path_open(rules, path, destination, follow, &real, &why);
        if (fd == -ENOMEM)
                return fd;
        if (fd == -EPERM)
                return path_refuse_place(field, real ? real : path, destination, why, errors);
        if (fd < 0) {
                why = open_error(path, fd, follow, &text);
                return why ? path_refuse(errors, fd == -ENOENT || fd == -ENOTDIR ? -ENOENT : -EBADMSG, field,
                                             path, why)
                           : -ENOMEM;
        }
        if (fstat(fd, &st) < 0)
                return path_refuse(errors, -EBADMSG, field, path, strerror(errno));
        *ret_path = TAKE_PTR(real);
        *ret_stat = st;
        return 0;
}

int path_resolve_directory(const PathRules *rules, bool destination, const char *field, const char *path,
                bool follow, char **ret_path, struct stat *ret_stat, JsonErrors *errors) {
        _cleanup_free_ char *real = NULL;
        struct stat st;
        int r = path_resolve(rules, destination, field, path, follow, &real, &st, errors);

        if (r < 0)
                return r == -ENOENT ? -EBADMSG : r; /* ENOENT is said of the source only */
        if (!S_ISDIR(st.st_mode))
                return path_refuse(errors, -EBADMSG, field, path, "it is not a directory");
        *ret_path = TAKE_PTR(real);
        *ret_stat = st;
        return 0;
}

int path_open_handle(const char *path) {
        struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
        int fd = (int) syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

        return fd < 0 ? -errno : fd;
}

int path_check_place(const PathRules *rules, bool destination, const char *field, const char *path,
                const char *shown, JsonErrors *errors) {
        const char *why = NULL;
        int r = path_check(rules, path, destination, &why);

        return r == -EPERM ? path_refuse_place(field, shown, destination, why, errors) : r;
}
