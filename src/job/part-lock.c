/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "job/part-lock.h"
#include "spec/job-spec.h"

#define TRIES 8 /* the one who has the lock may remove the file meanwhile */

static int open_lock_file(int part_fd, unsigned flags, int *ret_fd) {
        _cleanup_close_ int fd = openat(part_fd, PART_LOCK_FILE,
                        O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC |
                                        ((flags & PART_LOCK_TAKE_OVER) ? O_CREAT : 0),
                        0600);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADFD;
        if (st.st_nlink > 1)
                return -EMLINK;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* 1: the file that is locked still has its name. 0: it was removed before it was locked. */
static int is_still_there(int part_fd, int fd) {
        struct stat a, b;

        if (fstat(fd, &a) < 0)
                return -errno;
        if (fstatat(part_fd, PART_LOCK_FILE, &b, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        return a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static int write_owner(int fd, const char *job_id) {
        if (ftruncate(fd, 0) < 0)
                return -errno;
        int r = pwrite_full(fd, job_id, strlen(job_id), 0);
        if (r < 0)
                return r;
        return fsync(fd) < 0 ? -errno : 0;
}

/* An owner that was not written to the end, because of a power cut, is none. */
static int check_owner(int fd, const char *job_id) {
        char owner[JOB_ID_MAX + 1];
        ssize_t n = pread(fd, owner, sizeof(owner), 0);

        if (n < 0)
                return -errno;
        return n == 0 || ((size_t) n == strlen(job_id) && memcmp(owner, job_id, (size_t) n) == 0) ? 0
                                                                                                  : -EUSERS;
}

int part_lock(int part_fd, const char *job_id, unsigned flags, int *ret_fd) {
        for (unsigned i = 0; i < TRIES; i++) {
                _cleanup_close_ int fd = -EBADF;
                int r = open_lock_file(part_fd, flags, &fd);

                if (r == -ENOENT && !(flags & PART_LOCK_TAKE_OVER)) {
                        *ret_fd = -EBADF;
                        return 0;
                }
                if (r < 0)
                        return r;
                if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                        return errno == EWOULDBLOCK ? -EBUSY : -errno;
                r = is_still_there(part_fd, fd);
                if (r == 0)
                        continue;
                if (r > 0)
                        r = (flags & PART_LOCK_TAKE_OVER) ? write_owner(fd, job_id)
                                                          : check_owner(fd, job_id);
                if (r < 0)
                        return r;
                *ret_fd = TAKE_FD(fd);
                return 0;
        }
        return -EBUSY;
}
