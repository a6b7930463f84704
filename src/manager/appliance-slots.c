/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/appliance-slots.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "spec/job-file.h"

static int make_directory(const char *state_directory, const char *name) {
        _cleanup_free_ char *path = strprintf("%s/%s", state_directory, name);

        if (!path)
                return -ENOMEM;
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
                return -errno;
        /* Whatever the umask is. */
        return chmod(path, 0755) < 0 ? -errno : 0;
}

static int make_slot(const char *state_directory, unsigned i) {
        _cleanup_free_ char *path = strprintf("%s/" JOB_APPLIANCE_SLOTS "/%u", state_directory, i);
        _cleanup_close_ int fd = path
                        ? open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0444)
                        : -EBADF;

        if (!path)
                return -ENOMEM;
        return fd < 0 || fchmod(fd, 0444) < 0 ? -errno : 0;
}

int appliance_slots_make(const char *state_directory, unsigned n) {
        int r = make_directory(state_directory, JOB_APPLIANCES);

        if (r >= 0)
                r = make_directory(state_directory, JOB_APPLIANCE_SLOTS);
        for (unsigned i = 0; i < MAX(n, JOB_APPLIANCES_KVM) && r >= 0; i++)
                r = make_slot(state_directory, i);
        return r;
}
