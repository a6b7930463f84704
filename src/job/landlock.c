/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "job/landlock.h"

/* As far as it is known today; each version of the kernel's interface takes a longer piece of it. */
typedef struct Ruleset {
        uint64_t files, net, scoped;
} Ruleset;

static const struct {
        uint64_t files, net, scoped;
        size_t size;
} versions[] = {
        [1] = { 0x1fff, 0, 0, 8 },
        [2] = { 0x3fff, 0, 0, 8 }, /* moving files between directories */
        [3] = { 0x7fff, 0, 0, 8 }, /* truncating */
        [4] = { 0x7fff, 3, 0, 16 }, /* TCP */
        [5] = { 0xffff, 3, 0, 16 }, /* ioctl(2) on devices */
        [6] = { 0xffff, 3, 3, 24 }, /* abstract sockets, signals */
};

/* What can be said of a file that is no directory. */
#define FILE_RIGHTS                                                                        \
        (LANDLOCK_EXECUTE | LANDLOCK_WRITE_FILE | LANDLOCK_READ_FILE | LANDLOCK_TRUNCATE | \
                        LANDLOCK_IOCTL_DEV)

static unsigned version(void) {
        static unsigned known;

        if (known == 0) {
                long v = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

                known = v < 1 ? UINT_MAX : (unsigned) MIN(v, (long) ELEMENTSOF(versions) - 1);
        }
        return known;
}

int landlock_new(bool network) {
        unsigned v = version();

        if (v == UINT_MAX)
                return -EOPNOTSUPP;
        const Ruleset r = { versions[v].files, network ? 0 : versions[v].net, versions[v].scoped };
        int fd = (int) syscall(SYS_landlock_create_ruleset, &r, versions[v].size, 0);

        return fd < 0 ? -errno : fd;
}

int landlock_add_path(int ruleset_fd, const char *path, uint64_t rights) {
        _cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
        struct landlock_path_beneath_attr rule = { .parent_fd = fd };
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        rule.allowed_access = rights & versions[version()].files &
                        (S_ISDIR(st.st_mode) ? UINT64_MAX : FILE_RIGHTS);
        return syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno
                                                                                                    : 0;
}

int landlock_enter(int ruleset_fd) {
        return (int) syscall(SYS_landlock_restrict_self, ruleset_fd, 0);
}
