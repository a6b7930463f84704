/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/appliance-slot.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/kvm.h"
#include "basic/string-util.h"

#define DIRECTORY STATEDIR "/" JOB_APPLIANCE_SLOTS
/* How often it is looked for one. */
#define INTERVAL_MS 500

/* 1: it is locked now. */
static int try_one(const char *directory, unsigned i, int *ret) {
        _cleanup_free_ char *path = strprintf("%s/%u", directory, i);
        _cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -EBADF;

        if (!path)
                return -ENOMEM;
        if (fd < 0)
                return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
        *ret = TAKE_FD(fd);
        return 1;
}

int appliance_slot_try(const char *directory, unsigned n, int *ret) {
        for (unsigned i = 0; i < n; i++) {
                int r = try_one(directory, i, ret);

                if (r == -ENOENT && i > 0)
                        break;
                if (r != 0)
                        return r;
        }
        return 0;
}

static int wait_a_little(Attempt *a) {
        struct pollfd p = { .fd = a->cancel_fd, .events = POLLIN };

        if (poll(&p, 1, INTERVAL_MS) < 0 && errno != EINTR)
                return -errno;
        return p.revents ? -ECANCELED : 0;
}

int appliance_slot_wait(Attempt *a, uint64_t weight, int *ret) {
        unsigned n = a->plan->appliances > 0 ? a->plan->appliances
                        : kvm_works()        ? JOB_APPLIANCES_KVM
                                             : JOB_APPLIANCES_TCG;
        bool told = false;
        int r;

        while ((r = appliance_slot_try(DIRECTORY, n, ret)) == 0) {
                if (!told)
                        report_note(&a->report, "Waiting for one of %u appliances: all are in use", n);
                told = true;
                report_part(&a->report, "Waiting for an appliance", 0, weight);
                r = wait_a_little(a);
                if (r < 0)
                        return r;
        }
        if (r == -ENOENT) {
                *ret = -EBADF;
                return 0;
        }
        return r < 0 ? attempt_fail(a, r, NULL, "Locking a file in %s failed: %s", DIRECTORY, strerror(-r))
                     : 0;
}
