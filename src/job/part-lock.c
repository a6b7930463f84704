/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "job/part-lock.h"
#include "spec/job-spec.h"

#define TRIES 8 /* the one who has the lock may remove the file meanwhile */
#define OWNER_MAX (JOB_ID_MAX + 1 + HOST_NAME_MAX)

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

int part_lock_file(int fd) {
        struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

        if (fcntl(fd, F_OFD_SETLK, &whole) < 0)
                return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
        return 0;
}

/* --- the owner: the id of its job, and on a second line the name of its machine --------------------- */

static int write_owner(int fd, const char *job_id) {
        struct utsname u = {};
        _cleanup_free_ char *text = uname(&u) < 0 ? strdup(job_id) : strprintf("%s\n%s", job_id, u.nodename);

        if (!text)
                return -ENOMEM;
        if (ftruncate(fd, 0) < 0)
                return -errno;
        int r = pwrite_full(fd, text, strlen(text), 0);
        if (r < 0)
                return r;
        return fsync(fd) < 0 ? -errno : 0;
}

/* "" in @ret_job_id and NULL in *ret_host if there is none. */
static int read_owner(int fd, char ret_owner[static OWNER_MAX + 1], const char **ret_host) {
        ssize_t n = pread(fd, ret_owner, OWNER_MAX, 0);
        char *end;

        if (n < 0)
                return -errno;
        ret_owner[n] = '\0';
        end = strchr(ret_owner, '\n');
        *ret_host = end ? end + 1 : NULL;
        if (end)
                *end = '\0';
        return 0;
}

/* An owner that was not written to the end, because of a power cut, is none. */
static int check_owner(int fd, const char *job_id) {
        char owner[OWNER_MAX + 1];
        const char *host;
        int r = read_owner(fd, owner, &host);

        if (r < 0)
                return r;
        return isempty(owner) || streq(owner, job_id) ? 0 : -EUSERS;
}

/* Whoever may write there may have written the file. */
static bool is_host_name(const char *s) {
        return !isempty(s) &&
                        strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
                        strlen(s);
}

char *part_lock_owner(int part_fd) {
        _cleanup_close_ int fd = -EBADF;
        char owner[OWNER_MAX + 1];
        const char *host;

        if (open_lock_file(part_fd, 0, &fd) < 0 || read_owner(fd, owner, &host) < 0 ||
                        !job_id_is_valid(owner))
                return strdup("Another job");
        return is_host_name(host) ? strprintf("Job %s on %s", owner, host) : strprintf("Job %s", owner);
}

int part_lock_fail(Attempt *a, int part_fd) {
        _cleanup_free_ char *owner = part_lock_owner(part_fd);

        return attempt_fail(a, EBUSY, "destination_busy",
                        "%s is writing the destination %s: wait until it is finished, or cancel it",
                        owner ? owner : "Another job", job_plan_target(a->plan));
}

/* --------------------------------------------------------------------------------------------------- */

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
                r = part_lock_file(fd);
                if (r < 0)
                        return r;
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
