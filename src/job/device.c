/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "job/device.h"

bool path_is_device(const char *path) {
        return startswith(path, "/dev/") != NULL;
}

bool plan_writes_device(const JobPlan *p) {
        return endpoint_needs(&p->spec->destination, ENDPOINT_NEEDS_FILES) && !p->part_dir;
}

int open_device(const char *path, int *ret_fd, struct stat *ret_stat) {
        /* O_PATH first: opening anything else may do something. */
        _cleanup_close_ int path_fd = open(path, O_PATH | O_CLOEXEC);
        struct stat st, opened;
        uint64_t size;

        if (path_fd < 0 || fstat(path_fd, &st) < 0)
                return -errno;
        if (!S_ISBLK(st.st_mode))
                return -ENOTBLK;
        _cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &opened) < 0)
                return -errno;
        if (!S_ISBLK(opened.st_mode) || opened.st_rdev != st.st_rdev)
                return -ESTALE;
        if (ioctl(fd, BLKGETSIZE64, &size) < 0)
                return -errno;
        opened.st_size = (off_t) size;
        *ret_stat = opened;
        *ret_fd = TAKE_FD(fd);
        return 0;
}
