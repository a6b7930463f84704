/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/safe-open.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "job/child.h"
#include "job/in-use.h"
#include "job/lock-holder.h"

#define OWNER_MAX ((size_t) 4096) /* of a lock file */
#define OWNER_SHOWN ((size_t) 200)

/* --- locks ----------------------------------------------------------------------------------------- */

/* qemu locks byte 100 + n for a permission that it uses, and 200 + n for one that it denies to others
 * (permissions as in qemu's block.h: 0 consistent reads, 1 writes, 3 resizes). Who reads is in the way of
 * who writes, or forbids to read. */
#define QEMU_WRITES 101
#define QEMU_RESIZES 103
#define QEMU_DENIES_READING 200
#define QEMU_READS 100
#define QEMU_DENIES_WRITING 201
#define QEMU_DENIES_RESIZING 203

static int find_lock(int fd, short type, off_t start, off_t length, struct flock *ret) {
        struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length };

        if (fcntl(fd, F_OFD_GETLK, &l) < 0)
                return errno == EINVAL || errno == ENOLCK || errno == EOPNOTSUPP ? 0 : -errno;
        *ret = l;
        return l.l_type != F_UNLCK;
}

int in_use_check_locks(const char *path, int fd, char **ret_text) {
        const struct {
                short type;
                off_t start, length;
        } locks[] = {
                { F_WRLCK, QEMU_WRITES, 1 }, { F_WRLCK, QEMU_RESIZES, 1 },
                { F_WRLCK, QEMU_DENIES_READING, 1 }, { F_RDLCK, 0, 0 }, /* whoever locks for writing */
        };

        for (size_t i = 0; i < ELEMENTSOF(locks); i++) {
                struct flock l = {};
                int r = find_lock(fd, locks[i].type, locks[i].start, locks[i].length, &l);
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                _cleanup_free_ char *holder = lock_holder(fd, l.l_pid);
                *ret_text = strprintf("%s is in use: %s has locked it for writing", path,
                                holder ? holder : "another process, perhaps a running virtual machine,");
                return *ret_text ? -EBUSY : -ENOMEM;
        }
        return 0;
}

int in_use_hold(int fd) {
        static const off_t bytes[] = { QEMU_READS, QEMU_DENIES_WRITING, QEMU_DENIES_RESIZING };

        for (size_t i = 0; i < ELEMENTSOF(bytes); i++) {
                struct flock l = {
                        .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = bytes[i], .l_len = 1
                };
                if (fcntl(fd, F_OFD_SETLK, &l) < 0)
                        return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
        }
        struct flock writer;
        int r = find_lock(fd, F_WRLCK, QEMU_WRITES, 1, &writer);
        return r > 0 ? -EBUSY : r;
}

/* --- lock files ------------------------------------------------------------------------------------ */

/* What a lock file says, as text of one line. "" if it says nothing. */
static char *read_owner(int dir_fd, const char *name) {
        _cleanup_close_ int fd =
                        openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        char text[OWNER_MAX + 1];
        struct stat st;

        ssize_t n = fd >= 0 && fstat(fd, &st) >= 0 && S_ISREG(st.st_mode) ? read(fd, text, OWNER_MAX) : 0;
        size_t used = 0;
        for (ssize_t i = 0; i < n; i++)
                if (text[i] != 0 || (used > 0 && text[used - 1] != ' '))
                        text[used++] = text[i] == 0 ? ' ' : text[i];
        while (used > 0 && strchr(" \r\n\t", text[used - 1]))
                used--;
        char *line = utf8_make_valid(text, used, OWNER_SHOWN);
        return line ? utf8_replace_control(line, ' ') : NULL;
}

/* A directory of VMware Workstation, Fusion and Server: "M12345.lck" and the like are in it while somebody
 * has the disk. */
static int lock_directory_owner(int fd, char **ret) {
        DIR *d = fdopendir(fd);
        struct dirent *e;
        char *owner = NULL;

        if (!d) {
                safe_close(fd);
                return -errno;
        }
        while (!owner && (e = readdir(d)))
                if (endswith(e->d_name, ".lck"))
                        owner = read_owner(dirfd(d), e->d_name);
        (void) closedir(d);
        *ret = owner;
        return 0;
}

static int refuse_lock_file(const char *path, const char *lock, const char *owner, char **ret_text) {
        *ret_text = strprintf("%s is in use: VMware's lock %s is beside it%s%s%s. Power off the virtual "
                              "machine; if "
                              "nothing uses the disk any more, remove the lock.",
                        path, lock, isempty(owner) ? "" : " (its owner, as it says: ", strempty(owner),
                        isempty(owner) ? "" : ")");
        return *ret_text ? -EBUSY : -ENOMEM;
}

static int check_lock_name(const char *path, const char *lock, char **ret_text) {
        _cleanup_free_ char *owner = NULL;
        struct stat st;

        if (lstat(lock, &st) < 0)
                return 0;
        if (S_ISDIR(st.st_mode)) {
                int fd = open_no_symlinks(AT_FDCWD, lock, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
                if (fd >= 0)
                        (void) lock_directory_owner(fd, &owner);
        } else
                owner = read_owner(AT_FDCWD, lock);
        return refuse_lock_file(path, lock, owner, ret_text);
}

/* ESXi on NFS: ".lck-" and the file's number, its lowest byte first. */
static char *esxi_lock_name(const char *directory, uint64_t inode) {
        char hex[17];

        for (unsigned i = 0; i < 8; i++)
                snprintf(hex + 2 * i, 3, "%02x", (unsigned) (inode >> 8 * i) & 0xff);
        return strprintf("%s/.lck-%s", directory, hex);
}

int in_use_check_lock_files(const char *path, char **ret_text) {
        const char *slash = strrchr(path, '/');
        struct stat st;

        if (!slash || lstat(path, &st) < 0 || S_ISBLK(st.st_mode))
                return 0;
        _cleanup_free_ char *directory = strndup(path, (size_t) (slash - path));
        _cleanup_free_ char *beside = strprintf("%s.lck", path);
        _cleanup_free_ char *plain = directory ? strprintf("%s/.lck", directory) : NULL;
        _cleanup_free_ char *esxi = directory ? esxi_lock_name(directory, st.st_ino) : NULL;
        const char *const locks[] = { beside, plain, esxi };
        for (size_t i = 0; i < ELEMENTSOF(locks); i++) {
                int r = locks[i] ? check_lock_name(path, locks[i], ret_text) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        return 0;
}

int in_use_check(char *const *files, char **ret_text) {
        STRV_FOREACH(path, files) {
                int r = in_use_check_lock_files(*path, ret_text);
                _cleanup_close_ int fd =
                                r < 0 ? -EBADF : open(*path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
                struct stat st;

                if (r >= 0 && fd >= 0 && fstat(fd, &st) >= 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
                        r = in_use_check_locks(*path, fd, ret_text);
                if (r < 0)
                        return r;
        }
        return 0;
}
