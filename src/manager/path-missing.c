/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/path-missing.h"

#include <assert.h>
#include <fcntl.h>
#include <mntent.h>
#include <sys/stat.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "spec/job-file.h"

/* The directory that @path is in: "/" for "/a" and for "/". NULL when out of memory. */
static char *directory_of(const char *path) {
        const char *slash = strrchr(path, '/');

        return strndup(path, slash == path ? 1 : (size_t) (slash - path));
}

/* Opens the nearest directory above @path. *ret_rest is what is missing below it, with a slash before it. */
static int open_above(const PathRules *rules, const char *path, bool follow, char **ret_real,
                const char **ret_rest, const char **ret_why) {
        _cleanup_free_ char *above = strdup(path);

        if (!above)
                return -ENOMEM;
        for (unsigned n = 1; n <= JOB_NEW_DIRECTORIES_MAX; n++) {
                const char *why = NULL;
                char *next = directory_of(above);

                free(above);
                above = next;
                if (!above)
                        return -ENOMEM;
                int fd = path_open(rules, above, true, follow, ret_real, &why);
                if (fd >= 0) {
                        *ret_rest = path + (streq(above, "/") ? 0 : strlen(above));
                        return fd;
                }
                *ret_real = mfree(*ret_real);
                /* (What an operator is told is that the directory does not exist, as it is.) */
                if (fd == -EPERM && rules->role >= ROLE_ADMIN) {
                        *ret_why = why;
                        return fd;
                }
                if (fd != -ENOENT && fd != -ENOTDIR)
                        return fd == -ENOMEM ? fd : -ENOENT;
        }
        static_assert(JOB_NEW_DIRECTORIES_MAX == 32, "the text below has the number");
        *ret_why = "more than 32 directories on the way to it do not exist; make some of them first";
        return -EBADMSG;
}

/* What is under the name of the first missing directory, in @fd. */
static int check_first(int fd, const char *rest, const char **ret_why) {
        _cleanup_free_ char *name = strndup(rest + 1, strcspn(rest + 1, "/"));
        struct stat st;

        if (!name)
                return -ENOMEM;
        if (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode)) {
                *ret_why = "a part of it is not a directory";
                return -EBADMSG;
        }
        if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0 && S_ISLNK(st.st_mode)) {
                *ret_why = "a symbolic link in it leads nowhere";
                return -EBADMSG;
        }
        return 0;
}

/* True if it is a directory on which nothing is mounted. */
static bool is_plain_directory(const char *path) {
        struct statx st;

        return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) >= 0 && S_ISDIR(st.stx_mode) &&
                        (st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) &&
                        !(st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* What would be made in place of a file system that is not mounted would be hidden by it later. */
static bool is_unmounted(const PathRules *rules, const char *directory) {
        FILE *fstab = setmntent(rules->fstab ? rules->fstab : "/etc/fstab", "re");
        bool unmounted = false;
        struct mntent *entry;

        if (!fstab)
                return false;
        while (!unmounted && (entry = getmntent(fstab)))
                unmounted = entry->mnt_dir[0] == '/' && entry->mnt_dir[1] &&
                                path_is_below(directory, entry->mnt_dir) &&
                                is_plain_directory(entry->mnt_dir);
        (void) endmntent(fstab);
        return unmounted;
}

/* An administrator may write nearly everywhere; a mistyped path shall not become a tree. */
static int check_place(const PathRules *rules, const char *above, const char *rest, const char *real,
                const char **ret_why) {
        PathRules as_operator = *rules;
        const char *why;
        int r;

        if (is_unmounted(rules, above)) {
                *ret_why = "a mount point of /etc/fstab that it is below is not mounted; mount it first";
                return -EBADMSG;
        }
        if (rules->role < ROLE_ADMIN || !strchr(rest + 1, '/'))
                return 0;
        as_operator.role = ROLE_OPERATOR;
        r = path_check(&as_operator, real, true, &why);
        if (r != -EPERM)
                return r;
        *ret_why = "more than one directory does not exist, and outside jobs.destination_paths only the last "
                   "one is created; create the others first";
        return -EBADMSG;
}

int path_resolve_missing(const PathRules *rules, const char *path, bool follow, char **ret_real,
                const char **ret_why) {
        _cleanup_free_ char *above = NULL, *real = NULL;
        _cleanup_close_ int fd = -EBADF;
        const char *rest;
        int r;

        fd = open_above(rules, path, follow, &above, &rest, ret_why);
        if (fd < 0)
                return fd;
        r = check_first(fd, rest, ret_why);
        if (r < 0)
                return r;
        real = strprintf("%s%s", streq(above, "/") ? "" : above, rest);
        if (!real)
                return -ENOMEM;
        r = path_check(rules, real, true, ret_why);
        if (r >= 0)
                r = check_place(rules, above, rest, real, ret_why);
        if (r < 0)
                return r;
        *ret_real = TAKE_PTR(real);
        return 0;
}

/* 1 if it was noted, 0 if it does not exist, or negative errno. */
static int note_directory(const PathRules *rules, const char *path, JobFiles *f) {
        _cleanup_free_ char *real = NULL;
        _cleanup_close_ int fd = -EBADF;
        const char *why = NULL;
        struct stat st;

        fd = path_open(rules, path, true, false, &real, &why);
        if (fd < 0)
                return fd == -ENOENT ? 0 : fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISDIR(st.st_mode))
                return -ENOTDIR;
        int r = job_files_note(f, path, &st);
        return r < 0 ? r : 1;
}

int job_files_note_directories(const PathRules *rules, const char *directory, JobFiles *f) {
        _cleanup_free_ char *path = strdup(directory);

        /* (One more: those that are missing, and the one that they are below.) */
        for (unsigned n = 0; path && n <= JOB_NEW_DIRECTORIES_MAX; n++) {
                int r = note_directory(rules, path, f);

                if (r < 0)
                        return r == -ENOMEM ? r : 0;
                if (streq(path, "/"))
                        return 0;
                char *next = directory_of(path);
                free(path);
                path = next;
        }
        return path ? 0 : -ENOMEM;
}
