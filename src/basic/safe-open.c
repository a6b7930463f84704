/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/rights.h"
#include "basic/safe-open.h"
#include "basic/string-util.h"

/* The same step by step, for a job's unit: its filter of system calls (RestrictSUIDSGID=) has no
 * openat2(2). */
static int walk(int dir_fd, const char *path, int flags, mode_t mode) {
        _cleanup_close_ int fd = path[0] == '/' ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) : -EBADF;
        _cleanup_free_ char *copy = strdup(path);
        char *save = NULL;

        if (!copy)
                return -ENOMEM;
        if (path[0] == '/' && fd < 0)
                return -errno;
        for (char *name = strtok_r(copy, "/", &save), *next; name; name = next) {
                next = strtok_r(NULL, "/", &save);
                int n = openat(fd >= 0 ? fd : dir_fd, name,
                                next ? O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
                                     : flags | O_NOFOLLOW | O_CLOEXEC,
                                mode);
                if (n < 0) {
                        struct stat st;
                        int error = errno;

                        /* O_DIRECTORY hides that it is a link. */
                        if (error == ENOTDIR &&
                                        fstatat(fd >= 0 ? fd : dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) >=
                                                        0 &&
                                        S_ISLNK(st.st_mode))
                                error = ELOOP;
                        return -error;
                }
                safe_close(fd);
                fd = n;
        }
        return fd < 0 ? -ENOENT : TAKE_FD(fd);
}

int open_no_symlinks(int dir_fd, const char *path, int flags, mode_t mode) {
        struct open_how how = {
                .flags = (uint64_t) (flags | O_CLOEXEC),
                .mode = mode,
                .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };
        long fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));

        if (fd < 0 && errno == ENOSYS)
                return walk(dir_fd, path, flags, mode);
        return fd < 0 ? -errno : (int) fd;
}

int open_beneath(int dir_fd, const char *path, int flags) {
        struct open_how how = {
                .flags = (uint64_t) (flags | O_CLOEXEC),
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };
        long fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));

        return fd < 0 ? -errno : (int) fd;
}

static int open_checked(const char *path, int *ret_fd, struct stat *ret_stat) {
        struct stat st;

        /* O_PATH first: opening a device may do something. */
        _cleanup_close_ int path_fd = open_no_symlinks(AT_FDCWD, path, O_PATH | O_NOFOLLOW, 0);
        if (path_fd < 0)
                return path_fd;
        if (fstat(path_fd, &st) < 0)
                return -errno;
        if (S_ISLNK(st.st_mode))
                return -ELOOP;
        if (!S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -ENOTBLK;
        _cleanup_close_ int fd = open_no_symlinks(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
        if (fd < 0)
                return fd;
        if (fstat(fd, ret_stat) < 0)
                return -errno;
        if (ret_stat->st_ino != st.st_ino || ret_stat->st_dev != st.st_dev)
                return -ESTALE;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int open_regular(const char *path, int *ret_fd, struct stat *ret_stat) {
        int r = open_checked(path, ret_fd, ret_stat);

        if (r != -EACCES)
                return r;
        rights_raise(RIGHTS_READ);
        r = open_checked(path, ret_fd, ret_stat);
        rights_lower();
        return r < 0 ? r : 1;
}
