/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/job-screenshot.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "api/http/reply.h"
#include "api/job-submit.h"
#include "basic/fd-util.h"
#include "basic/string-util.h"

/* hyper-job boot writes them (job/kvm-boot.c). */
#define SCREENSHOTS STATEDIR "/screenshots"

const Reply job_screenshot_replies[] = {
        { 200, { .type = SCHEMA_STRING, .description = "The image." }, "image/png" },
        {},
};

/* The name follows from the ID: the result, which may be that of a worker, does not choose the file. */
static int open_screenshot(const char *job_id, struct stat *ret) {
        _cleanup_free_ char *path = strprintf(SCREENSHOTS "/%s.png", job_id);
        _cleanup_close_ int fd = -EBADF;

        if (!path)
                return -ENOMEM;
        fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 || fstat(fd, ret) < 0)
                return -errno;
        return S_ISREG(ret->st_mode) ? TAKE_FD(fd) : -ENOENT;
}

int job_screenshot(Request *r) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        struct stat st;
        int k = job_find(r, request_param(r, "id"), &row);

        if (k < 0)
                return k;
        int fd = open_screenshot(row->id, &st);
        if (fd == -ENOENT)
                return request_reply_error(r, 404,
                                "Job %s has no screenshot: it has no proof of boot (boot_check), libvirt "
                                "could not see the screen, or it was removed after 30 days",
                                row->id);
        return fd < 0 ? fd : request_reply_file(r, 200, "image/png", fd, (uint64_t) st.st_size);
}
