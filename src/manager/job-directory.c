/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "manager/job-directory.h"
#include "spec/job-file.h"
#include "spec/vsphere-counts.h"

/* A directory's depth that no job needs: deeper ones are left where they are, with an error. */
#define DEPTH_MAX 32

static char *directory_path(const char *directory, const char *sub, const char *job_id) {
        _cleanup_free_ char *escaped = job_escape_id(job_id);

        return escaped ? strprintf("%s%s/%s", directory, sub, escaped) : NULL;
}

char *job_directory_path(const char *state_directory, const char *job_id) {
        return directory_path(state_directory, "/jobs", job_id);
}

char *job_root_path(const char *runtime_directory, const char *job_id) {
        return directory_path(runtime_directory, "", job_id);
}

int job_directory_make(const char *path) {
        return mkdir_parents(path, 0700);
}

/* The directory above is for root only; the job, which sees this one alone, has a user of its own. */
int job_directory_make_readable(const char *path) {
        _cleanup_free_ char *results = strprintf("%s/" JOB_RESULTS_DIRECTORY, path);
        int r = results ? mkdir_parents(results, 0700) : -ENOMEM;

        if (r >= 0 && chmod(path, 0755) < 0)
                r = -errno;
        return r;
}

const char *const job_root_links[] = { "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", NULL };

int job_root_link_target(const char *path, char **ret) {
        char target[64];
        ssize_t n = readlink(path, target, sizeof(target));

        if (n < 0)
                return errno == EINVAL || errno == ENOENT ? 0 : -errno;
        if (n == 0 || (size_t) n >= sizeof(target))
                return 0;
        target[n] = '\0';
        if (!startswith(target, "usr/") && !startswith(target, "/usr/"))
                return 0;
        *ret = strdup(target);
        return *ret ? 1 : -ENOMEM;
}

int job_root_make(const char *path) {
        int r = mkdir_parents(path, 0700);

        if (r < 0)
                return r;
        for (const char *const *link = job_root_links; *link; link++) {
                _cleanup_free_ char *target = NULL, *name = strprintf("%s%s", path, *link);

                r = name ? job_root_link_target(*link, &target) : -ENOMEM;
                if (r < 0)
                        return r;
                if (r > 0 && symlink(target, name) < 0 && errno != EEXIST)
                        return -errno;
        }
        return chmod(path, 0755) < 0 ? -errno : 0;
}

int job_directory_clear_result(const char *path) {
        _cleanup_free_ char *file = strprintf("%s/" JOB_RESULTS_DIRECTORY "/result.json", path),
                            *counts = strprintf("%s/" VSPHERE_COUNTS_FILE, path);

        if (!file || !counts)
                return -ENOMEM;
        if (unlink(file) < 0 && errno != ENOENT)
                return -errno;
        return unlink(counts) < 0 && errno != ENOENT ? -errno : 0;
}

static int remove_at(int dir_fd, const char *name, unsigned depth);

static int remove_entries(int fd, unsigned depth) {
        DIR *d = fdopendir(fd);
        int r = 0;

        if (!d) {
                r = -errno;
                safe_close(fd);
                return r;
        }
        for (struct dirent *de; r >= 0 && (de = readdir(d));)
                if (!streq(de->d_name, ".") && !streq(de->d_name, ".."))
                        r = remove_at(dirfd(d), de->d_name, depth + 1);
        closedir(d);
        return r;
}

static int remove_at(int dir_fd, const char *name, unsigned depth) {
        if (unlinkat(dir_fd, name, 0) >= 0 || errno == ENOENT)
                return 0;
        if (errno != EISDIR && errno != EPERM)
                return -errno;
        if (depth > DEPTH_MAX)
                return -ELOOP;

        int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        /* We may own it and yet not be allowed to change it. */
        if (fchmod(fd, 0700) < 0) {
                int r = -errno;
                safe_close(fd);
                return r;
        }
        int r = remove_entries(fd, depth);
        if (r < 0)
                return r;
        return unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int remove_tree(const char *path) {
        return remove_at(AT_FDCWD, path, 0);
}

/* systemd's escaping undone: "\x2d" is one character. */
static int unescape(const char *name, char **ret) {
        _cleanup_free_ char *unit = strprintf("hyper-job-%s.service", name);

        return unit ? job_id_from_unit_name(unit, ret) : -ENOMEM;
}

int job_directories_list(const char *state_directory, char ***ret) {
        _cleanup_strv_free_ char **ids = NULL;
        _cleanup_free_ char *path = strprintf("%s/jobs", state_directory);
        int r = 0;

        if (!path)
                return -ENOMEM;
        DIR *d = opendir(path);
        if (!d && errno != ENOENT)
                return -errno;
        for (struct dirent *de; d && r >= 0 && (de = readdir(d));) {
                char *id = NULL;

                if (unescape(de->d_name, &id) >= 0)
                        r = strv_consume(&ids, id);
        }
        if (d)
                closedir(d);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(ids);
        return 0;
}
