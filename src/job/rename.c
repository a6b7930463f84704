/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "job/part-lock.h"
#include "job/rename.h"

#define PROBE_FILE ".probe"
#define PROBE_RENAMED ".probe-renamed"

int sync_directory(int fd) {
        if (fsync(fd) >= 0)
                return 0;
        return errno == EINVAL || errno == EBADF || errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
}

/* An empty file that not even its owner may write: nobody else makes such. */
static bool is_placeholder(const struct stat *st) {
        return S_ISREG(st->st_mode) && st->st_size == 0 && (st->st_mode & 0222) == 0 && st->st_nlink == 1 &&
                        st->st_uid == geteuid();
}

int remove_placeholder(int fd, const char *name) {
        struct stat st;

        if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!is_placeholder(&st))
                return -EEXIST;
        return unlinkat(fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* O_EXCL is known to every file system. What is replaced is what we have just made. */
static int rename_over_placeholder(int from_fd, const char *from, int to_fd, const char *to) {
        struct stat made, now;
        int r = remove_placeholder(to_fd, to);

        if (r < 0)
                return r;
        _cleanup_close_ int fd = openat(to_fd, to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0);
        if (fd < 0 || fstat(fd, &made) < 0)
                return -errno;
        if (fstatat(to_fd, to, &now, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (now.st_ino != made.st_ino || now.st_size != 0)
                return -EEXIST;
        if (renameat(from_fd, from, to_fd, to) < 0) {
                r = -errno;
                (void) unlinkat(to_fd, to, 0);
                return r;
        }
        return 0;
}

int rename_noreplace(int from_fd, const char *from, int to_fd, const char *to) {
        if (renameat2(from_fd, from, to_fd, to, RENAME_NOREPLACE) >= 0)
                return 0;
        if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
                return -errno;
        if (linkat(from_fd, from, to_fd, to, 0) >= 0)
                return unlinkat(from_fd, from, 0) < 0 ? -errno : 0;
        if (errno == EEXIST || (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK))
                return errno == EEXIST ? rename_over_placeholder(from_fd, from, to_fd, to) : -errno;
        return rename_over_placeholder(from_fd, from, to_fd, to);
}

#define probe_error(ret, error, ...)             \
        ({                                       \
                int _error = abs(error);         \
                *(ret) = strprintf(__VA_ARGS__); \
                *(ret) ? -_error : -ENOMEM;      \
        })

static int try_all(int fd, char **ret_text) {
        _cleanup_close_ int file =
                        openat(fd, PROBE_FILE, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        struct stat st;

        if (file < 0)
                return probe_error(ret_text, errno, "no file can be made there: %s", strerror(errno));
        if (pwrite_full(file, "x", 1, 0) < 0)
                return probe_error(ret_text, errno, "nothing can be written there: %s", strerror(errno));
        if (fstat(file, &st) < 0)
                return -errno;
        if (st.st_uid != geteuid())
                return probe_error(ret_text, EPERM,
                                "its file system gives files of root to user %u (an NFS export with "
                                "root_squash, for "
                                "example): export it with no_root_squash, or choose another destination",
                                (unsigned) st.st_uid);
        if (fchmod(file, 0600) < 0)
                return probe_error(ret_text, errno,
                                "its file system does not keep permissions of files, as FAT and exFAT do "
                                "not (%s): choose "
                                "another destination",
                                strerror(errno));
        int r = flock(file, LOCK_EX | LOCK_NB) < 0 ? -errno : part_lock_file(file);
        if (r < 0)
                return probe_error(ret_text, r,
                                "its file system cannot lock files (%s), so two jobs could write one image: "
                                "mount it with "
                                "locking, or choose another destination",
                                strerror(-r));
        r = rename_noreplace(fd, PROBE_FILE, fd, PROBE_RENAMED);
        if (r < 0)
                return probe_error(ret_text, r, "no file can be renamed there: %s", strerror(-r));
        return 0;
}

int probe_file_system(int fd, char **ret_text) {
        /* Of an attempt that was cut off. */
        (void) unlinkat(fd, PROBE_FILE, 0);
        (void) unlinkat(fd, PROBE_RENAMED, 0);
        int r = try_all(fd, ret_text);
        (void) unlinkat(fd, PROBE_FILE, 0);
        (void) unlinkat(fd, PROBE_RENAMED, 0);
        return r;
}
