/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>

#include "basic/fd-util.h"
#include "basic/rights.h"
#include "basic/safe-open.h"
#include "job/bound.h"

int bound_check(Attempt *a, const char *path, const struct stat *st, const char *code) {
        int r = a->plan->bound ? file_identity_check(a->plan->bound, path, st) : 0;

        switch (r) {
        case 0:
                return 0;
        case -ESTALE:
        case -ENOENT:
                return attempt_fail(a, r, code,
                                "%s is refused: it was replaced or changed after it was checked, so it is "
                                "not the file "
                                "that the job was allowed to use",
                                path);
        default:
                return r;
        }
}

int bound_check_path(Attempt *a, const char *path, const char *code) {
        rights_raise(RIGHTS_READ);
        _cleanup_close_ int fd = open_no_symlinks(AT_FDCWD, path, O_PATH | O_NOFOLLOW, 0);
        rights_lower();
        struct stat st;

        if (fd < 0)
                return fd == -ENOENT || fd == -ENOTDIR
                                ? 0
                                : attempt_fail(a, fd, NULL, "Opening %s failed: %s", path, strerror(-fd));
        if (fstat(fd, &st) < 0)
                return -errno;
        return bound_check(a, path, &st, code);
}
