/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/file/file-open.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/safe-open.h"
#include "basic/string-util.h"
#include "basic/time-util.h"
#include "shared/error-table.h"

static int no_such_file(sd_bus_error *error, const char *path) {
        return bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_FILE, "path: %s does not exist", path);
}

/* Refuses what is not the one way to write the path. -ENOENT for a name that begins with a dot. */
static int check_path(const char *path, sd_bus_error *error) {
        if (path[0] != '/')
                return bus_error_setf(
                                error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "path: must be an absolute path");
        if (strlen(path) >= PATH_MAX)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "path: must be shorter than %d bytes", PATH_MAX);
        for (const char *p = path + 1; *p;) {
                size_t n = strcspn(p, "/");

                if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
                        return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                        "path: must not contain \"//\", \".\" or \"..\"");
                if (p[0] == '.')
                        return no_such_file(error, path);
                p += n;
                p += *p == '/';
        }
        return 0;
}

/* What follows @root in @path, "" for the root itself; NULL if the path is elsewhere. */
static const char *below(const char *root, const char *path) {
        size_t n = strlen(root);

        if (n == 1) /* "/" */
                return path + 1;
        if (strncmp(root, path, n) != 0 || (path[n] && path[n] != '/'))
                return NULL;
        return path[n] ? path + n + 1 : path + n;
}

static const char *find_root(char *const *roots, const char *path, const char **ret_rest) {
        const char *found = NULL;

        STRV_FOREACH(root, roots) {
                const char *rest = below(*root, path);

                if (!rest || (found && strlen(*root) < strlen(found)))
                        continue;
                found = *root;
                *ret_rest = rest;
        }
        return found;
}

static int open_error(int r, const char *path, sd_bus_error *error) {
        switch (r) {
        case -ENOENT:
        case -ENOTDIR:
        case -ENAMETOOLONG:
                return no_such_file(error, path);
        case -ELOOP:
                return bus_error_setf(error, HYPER_BUS_ERROR_ACCESS_DENIED,
                                "path: there is a symbolic link in %s, and such are not followed", path);
        case -EXDEV:
                return bus_error_setf(error, HYPER_BUS_ERROR_ACCESS_DENIED,
                                "path: %s leads out of its directory", path);
        default:
                return bus_error_setf(error, HYPER_BUS_ERROR_INTERNAL, "path: %s cannot be opened: %s", path,
                                strerror(-r));
        }
}

/* A handle of the file that the path names. */
static int open_handle(char *const *roots, const char *path, int *ret_fd, sd_bus_error *error) {
        const char *rest = NULL, *root = find_root(roots, path, &rest);

        if (!root)
                return bus_error_setf(error, HYPER_BUS_ERROR_ACCESS_DENIED,
                                "path: %s is not below a directory of files.roots", path);
        _cleanup_close_ int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root_fd < 0)
                return open_error(-errno, path, error);
        if (!*rest) {
                *ret_fd = TAKE_FD(root_fd);
                return 0;
        }
        int fd = open_beneath(root_fd, rest, O_PATH | O_NOFOLLOW);
        if (fd < 0)
                return open_error(fd, path, error);
        *ret_fd = fd;
        return 0;
}

int file_open(char *const *roots, const char *path, mode_t type, int *ret_fd, sd_bus_error *error) {
        _cleanup_close_ int handle = -EBADF;
        char name[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
        struct stat st;
        int r = check_path(path, error);

        if (r >= 0)
                r = open_handle(roots, path, &handle, error);
        if (r < 0)
                return r;
        if (fstat(handle, &st) < 0)
                return open_error(-errno, path, error);
        if (S_ISLNK(st.st_mode))
                return open_error(-ELOOP, path, error);
        if ((st.st_mode & S_IFMT) != type)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "path: %s is no %s", path,
                                type == S_IFREG ? "regular file" : "directory");
        (void) snprintf(name, sizeof(name), "/proc/self/fd/%d", handle);
        int fd = open(name, O_RDONLY | O_NOCTTY | O_CLOEXEC | (type == S_IFDIR ? O_DIRECTORY : 0));
        if (fd < 0)
                return open_error(-errno, path, error);
        *ret_fd = fd;
        return 0;
}

/* --- lists ----------------------------------------------------------------------------------------- */

void file_entries_done(FileEntries *e) {
        for (size_t i = 0; i < e->n; i++)
                free(e->entries[i].name);
        free(e->entries);
        *e = (FileEntries){};
}

static int compare(const void *a, const void *b) {
        const FileEntry *x = a, *y = b;

        if (x->is_directory != y->is_directory)
                return x->is_directory ? -1 : 1;
        return strcmp(x->name, y->name);
}

/* Passes over what is neither a file nor a directory, and what vanishes. */
static int add_entry(FileEntries *e, int dir_fd, const char *file, const char *name) {
        struct stat st;
        char *copy;

        if (fstatat(dir_fd, file, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
                        (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
                return 0;
        if (e->n == e->allocated) {
                size_t n = MAX(64, e->allocated * 2);
                FileEntry *p = reallocarray(e->entries, n, sizeof(*p));

                if (!p)
                        return -ENOMEM;
                e->entries = p;
                e->allocated = n;
        }
        copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        e->entries[e->n++] = (FileEntry){
                .name = copy,
                .is_directory = S_ISDIR(st.st_mode),
                .size = S_ISREG(st.st_mode) ? (uint64_t) st.st_size : 0,
                .modified_at = st.st_mtim.tv_sec < 0 ? 0
                                                     : (uint64_t) st.st_mtim.tv_sec * USEC_PER_SEC +
                                                (uint64_t) st.st_mtim.tv_nsec / 1000,
        };
        return 0;
}

static bool name_is_shown(const char *name) {
        if (name[0] == '.' || !utf8_is_valid(name))
                return false;
        for (const char *p = name; *p; p++)
                if ((unsigned char) *p < 0x20 || *p == 0x7f)
                        return false;
        return true;
}

static int list_roots(char *const *roots, FileEntries *e) {
        STRV_FOREACH(root, roots) {
                int r = add_entry(e, AT_FDCWD, *root, *root);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int list_directory(DIR *dir, const char *path, FileEntries *e, sd_bus_error *error) {
        const struct dirent *de;

        while ((errno = 0, de = readdir(dir))) {
                if (!name_is_shown(de->d_name))
                        continue;
                if (e->n >= FILE_ENTRIES_MAX)
                        return bus_error_setf(error, HYPER_BUS_ERROR_TOO_LARGE,
                                        "path: %s has more than %u entries", path, FILE_ENTRIES_MAX);
                int r = add_entry(e, dirfd(dir), de->d_name, de->d_name);
                if (r < 0)
                        return r;
        }
        return errno > 0 ? open_error(-errno, path, error) : 0;
}

int file_list(char *const *roots, const char *path, FileEntries *ret, sd_bus_error *error) {
        FileEntries e = {};
        int r;

        if (*path) {
                int fd = -EBADF;

                r = file_open(roots, path, S_IFDIR, &fd, error);
                if (r < 0)
                        return r;
                DIR *dir = fdopendir(fd);
                if (!dir) {
                        r = open_error(-errno, path, error);
                        safe_close(fd);
                        return r;
                }
                e.is_root = strv_contains(roots, path);
                r = list_directory(dir, path, &e, error);
                closedir(dir);
        } else
                r = list_roots(roots, &e);
        if (r < 0) {
                file_entries_done(&e);
                return r;
        }
        if (e.n > 0)
                qsort(e.entries, e.n, sizeof(e.entries[0]), compare);
        *ret = e;
        return 0;
}
