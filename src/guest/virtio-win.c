/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/virtio-win.h"

#include <archive.h>
#include <archive_entry.h>
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"

#define FILE_MAX ((int64_t) 32 * 1024 * 1024)
#define TOTAL_MAX ((size_t) 256 * 1024 * 1024)
#define FILES_MAX ((size_t) 1000)
#define ENTRIES_MAX 100000u
#define DEPTH_MAX 6u
#define DISK_DRIVER "viostor.sys"

void virtio_win_done(VirtioWin *v) {
        for (size_t i = 0; i < v->n; i++) {
                free(v->files[i].name);
                free(v->files[i].path);
                free(v->files[i].data);
        }
        free(v->files);
        *v = (VirtioWin){};
}

/* --- names ----------------------------------------------------------------------------------------- */

static bool part_is(const char *part, const char *end, const char *name) {
        return (size_t) (end - part) == strlen(name) && strncasecmp(part, name, strlen(name)) == 0;
}

/* The begin of the part that ends before @end. */
static const char *part_before(const char *path, const char *end) {
        while (end > path && end[-1] != '/')
                end--;
        return end;
}

bool virtio_win_matches(const char *path, const char *version, const char *arch) {
        const char *name = strrchr(path, '/');

        if (!name || name == path)
                return false;
        const char *second = part_before(path, name);
        if (second == path)
                return false;
        const char *first = part_before(path, second - 1);
        return (part_is(first, second - 1, version) && part_is(second, name, arch)) ||
                        (part_is(first, second - 1, arch) && part_is(second, name, version));
}

/* Not the symbols for debuggers, which are large. */
static bool is_wanted(const char *path) {
        static const char *const suffixes[] = { "sys", "inf", "cat", "dll", "exe" };
        const char *dot = strrchr(path, '.');

        for (size_t i = 0; dot && i < ELEMENTSOF(suffixes); i++)
                if (strcasecmp(dot + 1, suffixes[i]) == 0)
                        return true;
        return false;
}

/* The same file may be in several directories. */
static int add_file(VirtioWin *v, const char *path) {
        _cleanup_free_ char *name = strdup(strrchr(path, '/') + 1), *copy = strdup(path);

        if (!name || !copy)
                return -ENOMEM;
        for (char *p = name; *p; p++)
                *p = (char) tolower((unsigned char) *p);
        if (virtio_win_find(v, name) || v->n >= FILES_MAX)
                return 0;
        if (!GREEDY_REALLOC(v->files, v->allocated, v->n + 1))
                return -ENOMEM;
        v->files[v->n++] = (VirtioWinFile){ .name = TAKE_PTR(name), .path = TAKE_PTR(copy) };
        return 0;
}

const VirtioWinFile *virtio_win_find(const VirtioWin *v, const char *name) {
        for (size_t i = 0; i < v->n; i++)
                if (streq(v->files[i].name, name))
                        return &v->files[i];
        return NULL;
}

/* The stub of qemufwcfg and the real driver are for the same device. */
static bool is_superseded(const VirtioWin *v, const char *name) {
        return startswith(name, "qemufwcfg.") && virtio_win_find(v, "fwcfg.inf");
}

/* Those of the first version that has a driver for disks. */
static int choose(char *const *paths, const char *const *versions, const char *arch, VirtioWin *v) {
        for (size_t i = 0; versions[i]; i++) {
                virtio_win_done(v);
                STRV_FOREACH(path, paths) {
                        int r = virtio_win_matches(*path, versions[i], arch) && is_wanted(*path)
                                        ? add_file(v, *path)
                                        : 0;
                        if (r < 0)
                                return r;
                }
                if (virtio_win_find(v, DISK_DRIVER))
                        return 0;
        }
        virtio_win_done(v);
        return 0;
}

/* --- a directory ----------------------------------------------------------------------------------- */

static int list_directory(const char *top, const char *below, unsigned depth, char ***ret) {
        _cleanup_free_ char *path = strprintf("%s%s", top, below);
        int r = path ? 0 : -ENOMEM;
        DIR *d = path ? opendir(path) : NULL;

        if (!d)
                return r < 0 ? r : -errno;
        for (struct dirent *de; r >= 0 && (de = readdir(d));) {
                _cleanup_free_ char *child = NULL;
                struct stat st;

                if (de->d_name[0] == '.')
                        continue;
                child = strprintf("%s/%s", below, de->d_name);
                if (!child)
                        r = -ENOMEM;
                else if (strv_length(*ret) >= ENTRIES_MAX)
                        r = -E2BIG;
                else if (fstatat(dirfd(d), de->d_name, &st, 0) < 0)
                        r = errno == ENOENT ? 0 : -errno;
                else if (S_ISDIR(st.st_mode))
                        r = depth < DEPTH_MAX ? list_directory(top, child, depth + 1, ret) : 0;
                else if (S_ISREG(st.st_mode) && is_wanted(child))
                        r = strv_consume(ret, TAKE_PTR(child));
        }
        (void) closedir(d);
        return r;
}

static int read_files(const char *top, VirtioWin *v) {
        size_t total = 0;

        for (size_t i = 0; i < v->n; i++) {
                VirtioWinFile *f = &v->files[i];
                _cleanup_free_ char *path = strprintf("%s%s", top, f->path);
                _cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -EBADF;
                struct stat st;

                if (!path)
                        return -ENOMEM;
                if (fd < 0 || fstat(fd, &st) < 0)
                        return -errno;
                if (st.st_size > FILE_MAX || (total += (size_t) st.st_size) > TOTAL_MAX)
                        return -EFBIG;
                f->data = malloc((size_t) st.st_size + 1);
                if (!f->data)
                        return -ENOMEM;
                f->size = (size_t) st.st_size;
                int r = pread_full(fd, f->data, f->size, 0);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_directory(const char *path, const char *const *versions, const char *arch, VirtioWin *v,
                char **ret_why) {
        _cleanup_strv_free_ char **paths = NULL;
        int r = list_directory(path, "", 0, &paths);

        if (r >= 0)
                r = choose(paths, versions, arch, v);
        if (r >= 0)
                r = read_files(path, v);
        if (r < 0 && !(*ret_why = strdup(strerror(-r))))
                return -ENOMEM;
        return r;
}

/* --- an ISO image ---------------------------------------------------------------------------------- */

static void archive_freep(struct archive **a) {
        if (*a)
                archive_read_free(*a);
}

/* Calls @entry for each regular file. */
static int walk_image(const char *path, int (*entry)(struct archive *a, struct archive_entry *e, void *data),
                void *data, char **ret_why) {
        _cleanup_(archive_freep) struct archive *a = archive_read_new();
        struct archive_entry *e;
        int r = 0, k;

        if (!a)
                return -ENOMEM;
        k = archive_read_support_format_iso9660(a);
        if (k == ARCHIVE_OK)
                k = archive_read_open_filename(a, path, 64 * 1024);
        for (unsigned n = 0; k == ARCHIVE_OK && r >= 0 && n < ENTRIES_MAX; n++) {
                k = archive_read_next_header(a, &e);
                if (k == ARCHIVE_WARN)
                        k = ARCHIVE_OK;
                if (k == ARCHIVE_OK && archive_entry_filetype(e) == AE_IFREG && archive_entry_pathname(e))
                        r = entry(a, e, data);
        }
        if (r >= 0 && k != ARCHIVE_EOF && k != ARCHIVE_OK)
                r = -EIO;
        if (r < 0 && r != -ENOMEM &&
                        !(*ret_why = strdup(r == -EIO ? strna(archive_error_string(a)) : strerror(-r))))
                return -ENOMEM;
        return r;
}

static int list_entry(struct archive *a, struct archive_entry *e, void *data) {
        const char *path = archive_entry_pathname(e);

        return is_wanted(path) ? strv_extendf(data, "/%s", path) : 0;
}

static int read_entry(struct archive *a, struct archive_entry *e, void *data) {
        VirtioWin *v = data;
        int64_t size = archive_entry_size(e);
        size_t total = 0;

        for (size_t i = 0; i < v->n; i++) {
                VirtioWinFile *f = &v->files[i];
                total += f->size;
                if (f->data || !streq(f->path + 1, archive_entry_pathname(e)))
                        continue;
                if (size < 0 || size > FILE_MAX || total + (size_t) size > TOTAL_MAX)
                        return -EFBIG;
                f->data = malloc((size_t) size + 1);
                if (!f->data)
                        return -ENOMEM;
                f->size = (size_t) size;
                if (archive_read_data(a, f->data, f->size) != (la_ssize_t) f->size)
                        return -EIO;
        }
        return 0;
}

static int read_image(const char *path, const char *const *versions, const char *arch, VirtioWin *v,
                char **ret_why) {
        _cleanup_strv_free_ char **paths = NULL;
        int r = walk_image(path, list_entry, &paths, ret_why);

        if (r >= 0)
                r = choose(paths, versions, arch, v);
        return r < 0 || v->n == 0 ? r : walk_image(path, read_entry, v, ret_why);
}

/* --- both ------------------------------------------------------------------------------------------ */

static void drop_superseded(VirtioWin *v) {
        for (size_t i = 0; i < v->n;) {
                VirtioWinFile *f = &v->files[i];
                if (!is_superseded(v, f->name)) {
                        i++;
                        continue;
                }
                free(f->name);
                free(f->path);
                free(f->data);
                *f = v->files[--v->n];
        }
}

int virtio_win_read(const char *path, const char *const *versions, const char *arch, VirtioWin *ret,
                char **ret_why) {
        _cleanup_(virtio_win_done) VirtioWin v = {};
        struct stat st;
        int r;

        if (stat(path, &st) < 0) {
                r = -errno;
                *ret_why = strdup(strerror(-r));
                return *ret_why ? r : -ENOMEM;
        }
        r = S_ISDIR(st.st_mode) ? read_directory(path, versions, arch, &v, ret_why)
                                : read_image(path, versions, arch, &v, ret_why);
        if (r < 0)
                return r;
        drop_superseded(&v);
        *ret = v;
        v = (VirtioWin){};
        return 0;
}
