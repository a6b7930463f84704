/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "job/safe-open.h"

int open_no_symlinks(int dir_fd, const char *path, int flags, mode_t mode) {
        struct open_how how = {
                .flags = (uint64_t) (flags | O_CLOEXEC),
                .mode = mode,
                .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };
        long fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
        return fd < 0 ? -errno : (int) fd;
}

int open_regular(const char *path, int *ret_fd, struct stat *ret_stat) {
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
