/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/new-directories.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/parse-util.h"
#include "basic/safe-open.h"
#include "basic/string-util.h"
#include "job/rename.h"

#define RECORD_MAX 8192

/* Directories of a job, from the top down. */
typedef struct Made {
        uint64_t device, inode;
        size_t length; /* of its path */
} Made;

typedef struct MadeList {
        Made items[JOB_NEW_DIRECTORIES_MAX];
        unsigned n;
} MadeList;

/* --- the record ------------------------------------------------------------------------------------ */

static int parse_made(char *line, Made *ret) {
        uint64_t numbers[3];
        char *save = NULL, *word = strtok_r(line, " ", &save);

        for (size_t i = 0; i < ELEMENTSOF(numbers); i++, word = strtok_r(NULL, " ", &save))
                if (!word || parse_uint64(word, &numbers[i]) < 0)
                        return -EBADMSG;
        *ret = (Made){ .device = numbers[0], .inode = numbers[1], .length = (size_t) numbers[2] };
        return 0;
}

static int read_record(int job_fd, MadeList *ret) {
        _cleanup_free_ char *text = NULL;
        char *save = NULL;
        int r;

        *ret = (MadeList){};
        r = read_file_at(job_fd, RECORD_DIRECTORIES, RECORD_MAX, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                if (ret->n >= ELEMENTSOF(ret->items))
                        return -EBADMSG;
                r = parse_made(line, &ret->items[ret->n++]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int write_record(int job_fd, const MadeList *made) {
        char text[JOB_NEW_DIRECTORIES_MAX * 64 + 1] = "";
        size_t n = 0;

        for (unsigned i = 0; i < made->n; i++)
                n += (size_t) snprintf(text + n, sizeof(text) - n, "%" PRIu64 " %" PRIu64 " %zu\n",
                                made->items[i].device, made->items[i].inode, made->items[i].length);
        return write_file_atomic_at(job_fd, RECORD_DIRECTORIES, text, n, 0600);
}

/* One that was made again, since somebody removed it, replaces what was noted of it. */
static int note_made(int job_fd, MadeList *made, const struct stat *st, size_t length) {
        while (made->n > 0 && made->items[made->n - 1].length >= length)
                made->n--;
        if (made->n >= ELEMENTSOF(made->items))
                return -E2BIG;
        made->items[made->n++] = (Made){ .device = st->st_dev, .inode = st->st_ino, .length = length };
        return write_record(job_fd, made);
}

/* --- making ---------------------------------------------------------------------------------------- */

typedef struct Maker {
        int fd; /* the directory that was come to */
        uid_t owner; /* of the directory that is the start */
        int job_fd;
        MadeList made;
} Maker;

static void maker_done(Maker *m) {
        safe_close(m->fd);
}

/* Opens the nearest directory that the manager noted. *ret_length is the length of its path. */
static int open_start(const char *directory, char *const *bound, size_t *ret_length, struct stat *ret_stat) {
        _cleanup_free_ char *path = strdup(directory);

        if (!path)
                return -ENOMEM;
        for (;;) {
                _cleanup_close_ int fd = open_no_symlinks(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);

                if (fd < 0 && fd != -ENOENT)
                        return fd;
                if (fd >= 0 && fstat(fd, ret_stat) < 0)
                        return -errno;
                int r = fd >= 0 ? file_identity_check(bound, path, ret_stat) : -ENOENT;
                if (r != -ENOENT) {
                        *ret_length = streq(path, "/") ? 0 : strlen(path);
                        return r < 0 ? r : TAKE_FD(fd);
                }
                if (streq(path, "/"))
                        return -ENOENT;
                char *slash = strrchr(path, '/');
                slash[slash == path ? 1 : 0] = '\0';
        }
}

/* Our umask may be narrower; the group's inheritance stays as it is in the directory above. */
static int set_mode(int fd, const struct stat *st) {
        return fchmod(fd, (st->st_mode & S_ISGID) | 0755) < 0 ? -errno : 0;
}

/* Makes one directory, or opens it if somebody else has made it. @length is that of its path. */
static int make_one(Maker *m, const char *name, size_t length, struct stat *ret) {
        _cleanup_close_ int fd = -EBADF;
        bool is_new = mkdirat(m->fd, name, 0755) >= 0;

        if (!is_new && errno != EEXIST)
                return -errno;
        fd = open_no_symlinks(m->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
        if (fd < 0)
                return fd;
        if (fstat(fd, ret) < 0)
                return -errno;
        if (ret->st_uid != geteuid() && ret->st_uid != m->owner)
                return -EPERM;
        if (is_new) {
                int r = note_made(m->job_fd, &m->made, ret, length);

                if (r >= 0 && ret->st_uid == geteuid())
                        r = set_mode(fd, ret);
                if (r >= 0)
                        r = sync_directory(m->fd);
                if (r < 0)
                        return r;
        }
        safe_close(m->fd);
        m->fd = TAKE_FD(fd);
        return 0;
}

static int make_below(Maker *m, const char *directory, size_t length, struct stat *ret) {
        for (unsigned n = 0; directory[length] == '/'; n++) {
                const char *name = directory + length + 1;
                size_t size = strcspn(name, "/");
                _cleanup_free_ char *copy = strndup(name, size);

                if (!copy)
                        return -ENOMEM;
                if (size == 0 || streq(copy, ".") || streq(copy, ".."))
                        return -EINVAL;
                if (n >= JOB_NEW_DIRECTORIES_MAX)
                        return -E2BIG;
                length += 1 + size;
                int r = make_one(m, copy, length, ret);
                if (r < 0)
                        return r;
        }
        return 0;
}

int new_directories_make(const char *directory, char *const *bound, int job_fd, struct stat *ret) {
        _cleanup_(maker_done) Maker m = { .fd = -EBADF, .job_fd = job_fd };
        size_t length = 0;
        int r;

        if (directory[0] != '/')
                return -EINVAL;
        m.fd = open_start(directory, bound, &length, ret);
        if (m.fd < 0)
                return m.fd;
        if (streq(directory, "/") || directory[length] == '\0')
                return 0;
        m.owner = ret->st_uid;
        r = read_record(job_fd, &m.made);
        return r < 0 ? r : make_below(&m, directory, length, ret);
}

/* --- removing -------------------------------------------------------------------------------------- */

static int remove_one(const char *part_dir, const Made *made) {
        _cleanup_free_ char *path = NULL, *above = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        if (made->length < 2 || made->length >= strlen(part_dir) || part_dir[made->length] != '/')
                return -EBADMSG;
        path = strndup(part_dir, made->length);
        if (!path)
                return -ENOMEM;
        const char *slash = strrchr(path, '/');
        above = strndup(path, slash == path ? 1 : (size_t) (slash - path));
        if (!above)
                return -ENOMEM;
        fd = open_no_symlinks(AT_FDCWD, above, O_RDONLY | O_DIRECTORY, 0);
        if (fd < 0)
                return fd;
        if (fstatat(fd, slash + 1, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (!S_ISDIR(st.st_mode) || st.st_dev != made->device || st.st_ino != made->inode)
                return -ESTALE;
        return unlinkat(fd, slash + 1, AT_REMOVEDIR) < 0 ? -errno : sync_directory(fd);
}

int new_directories_remove(const char *part_dir, int job_fd) {
        bool is_gone = false;
        MadeList made;
        int r;

        r = read_record(job_fd, &made);
        if (r < 0)
                return r;
        for (; made.n > 0; made.n--) {
                r = remove_one(part_dir, &made.items[made.n - 1]);
                if (r < 0 && r != -ENOENT)
                        break;
                is_gone = true;
        }
        if (!is_gone)
                return r == -ENOTEMPTY || r == -EEXIST ? 0 : r;
        r = made.n > 0 ? write_record(job_fd, &made)
                       : (unlinkat(job_fd, RECORD_DIRECTORIES, 0) < 0 ? -errno : 0);
        return r < 0 ? r : 1;
}
