/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "engine/checkpoint.h"
#include "job/part-directory.h"
#include "job/part-lock.h"
#include "job/rename.h"
#include "job/warm-state.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define RECORD_MAX 8192

void part_directory_done(PartDirectory *p) {
        p->parent_fd = safe_close(p->parent_fd);
        p->fd = safe_close(p->fd);
        p->path = mfree(p->path);
        p->name = mfree(p->name);
}

bool marker_exists(int job_fd, const char *name) {
        return faccessat(job_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* --- the directory
 * --------------------------------------------------------------------------------------- */

static int check_directory(PartDirectory *p, char **ret_error) {
        struct stat st;

        if (fstat(p->fd, &st) < 0)
                return -errno;
        if (st.st_uid == geteuid() && (st.st_mode & 002) == 0 &&
                        ((st.st_mode & 020) == 0 || uid_is_dynamic(st.st_gid)))
                return 0;
        *ret_error = strprintf("%s is there already, but others may write to it: it was not made by hyper. "
                               "Remove it.",
                        p->path);
        return *ret_error ? -EPERM : -ENOMEM;
}

int part_directory_open(const char *path, PartDirectory *ret, char **ret_error) {
        _cleanup_part_directory_ PartDirectory p = PART_DIRECTORY_INIT;
        const char *slash = strrchr(path, '/');
        int r;

        if (!slash || !slash[1])
                return -EINVAL;
        p.path = strdup(path);
        p.name = strdup(slash + 1);
        _cleanup_free_ char *parent = strndup(path, MAX((size_t) (slash - path), (size_t) 1));
        if (!p.path || !p.name || !parent)
                return -ENOMEM;
        p.parent_fd = open_no_symlinks(AT_FDCWD, parent, O_RDONLY | O_DIRECTORY, 0);
        if (p.parent_fd < 0)
                return p.parent_fd;
        p.fd = openat(p.parent_fd, p.name, DIRECTORY_FLAGS);
        if (p.fd < 0 && (errno == ENOTDIR || errno == ELOOP)) {
                *ret_error = strprintf("%s is there already and is no directory: it was not made by hyper. "
                                       "Remove it.",
                                path);
                return *ret_error ? -EPERM : -ENOMEM;
        }
        if (p.fd < 0 && errno != ENOENT)
                return -errno;
        if (p.fd >= 0) {
                r = check_directory(&p, ret_error);
                if (r < 0)
                        return r;
        }
        *ret = p;
        p = PART_DIRECTORY_INIT;
        return 0;
}

int part_directory_make(PartDirectory *p) {
        if (p->fd >= 0)
                return 0;
        if (mkdirat(p->parent_fd, p->name, 0700) < 0)
                return -errno;
        p->fd = openat(p->parent_fd, p->name, DIRECTORY_FLAGS);
        return p->fd < 0 ? -errno : sync_directory(p->parent_fd);
}

int part_directory_record(const PartDirectory *p, int job_fd, uid_t uid) {
        sd_id128_t boot;
        struct stat st;

        if (fstat(p->fd, &st) < 0)
                return -errno;
        int r = sd_id128_get_boot(&boot);
        if (r < 0)
                return r;
        _cleanup_free_ char *text = strprintf("%ju %ju %ju " SD_ID128_FORMAT_STR "\n", (uintmax_t) st.st_dev,
                        (uintmax_t) st.st_ino, (uintmax_t) uid, SD_ID128_FORMAT_VAL(boot));
        if (!text)
                return -ENOMEM;
        return write_file_atomic_at(job_fd, RECORD_PREPARED, text, strlen(text), 0644);
}

/* The number of a device is another after a boot. A record without a boot counts as one of this boot. */
static bool is_earlier_boot(const char *word) {
        sd_id128_t boot, now;

        return word && sd_id128_from_string(word, &boot) >= 0 && sd_id128_get_boot(&now) >= 0 &&
                        !sd_id128_equal(boot, now);
}

int part_directory_check_record(int part_fd, int job_fd, uid_t *ret_uid) {
        _cleanup_free_ char *text = NULL;
        uint64_t numbers[3];
        char *save = NULL, *word;
        struct stat st;

        int r = read_file_at(job_fd, RECORD_PREPARED, RECORD_MAX, &text, NULL);
        if (r < 0)
                return r;
        word = strtok_r(text, " \n", &save);
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++, word = strtok_r(NULL, " \n", &save))
                if (!word || parse_uint64(word, &numbers[i]) < 0)
                        return -EBADMSG;
        if (fstat(part_fd, &st) < 0)
                return -errno;
        if ((st.st_dev != numbers[0] && !is_earlier_boot(word)) || st.st_ino != numbers[1] ||
                        numbers[2] >= UINT32_MAX)
                return -ESTALE;
        if (ret_uid)
                *ret_uid = (uid_t) numbers[2];
        return 0;
}

int part_directory_record_taken(const PartDirectory *p, int job_fd, const JobEndpoint *destination) {
        unsigned taken = 0;
        struct stat st;

        for (unsigned i = 2; i <= layout_published(destination, layout_disks_max(destination)) && taken == 0;
                        i++) {
                _cleanup_free_ char *path = layout_path(destination, i);
                if (!path)
                        return -ENOMEM;
                if (fstatat(p->parent_fd, strrchr(path, '/') + 1, &st, AT_SYMLINK_NOFOLLOW) >= 0)
                        taken = i;
                else if (errno != ENOENT)
                        return -errno;
        }
        _cleanup_free_ char *text = strprintf("%u\n", taken);
        if (!text)
                return -ENOMEM;
        return write_file_atomic_at(job_fd, RECORD_TAKEN, text, strlen(text), 0644);
}

int part_directory_read_taken(int job_fd, unsigned *ret) {
        _cleanup_free_ char *text = NULL;
        uint64_t n;

        int r = read_file_at(job_fd, RECORD_TAKEN, RECORD_MAX, &text, NULL);
        if (r < 0)
                return r;
        text[strcspn(text, "\n")] = 0;
        if (parse_uint64(text, &n) < 0 || n > PART_DISKS_MAX)
                return -EBADMSG;
        *ret = (unsigned) n;
        return 0;
}

int part_directory_disk(int part_fd, unsigned disk, bool create, int *ret_fd) {
        char name[32];
        int fd;

        if (disk <= 1)
                fd = fcntl(part_fd, F_DUPFD_CLOEXEC, 3);
        else {
                snprintf(name, sizeof(name), "disk%u", disk);
                if (create && mkdirat(part_fd, name, 0700) < 0 && errno != EEXIST)
                        return -errno;
                fd = openat(part_fd, name, DIRECTORY_FLAGS);
        }
        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

/* --- removing -------------------------------------------------------------------------------------- */

/* The first failure in *r, the rest is tried all the same. */
static void unlink_entry(int fd, const char *name, int flags, int *r) {
        if (unlinkat(fd, name, flags) < 0 && errno != ENOENT && *r >= 0)
                *r = -errno;
}

static int empty_disk(int fd) {
        static const char *const unpacked[] = { UNPACKED_FILES };
        int r = 0;

        /* The checkpoint first: what is left of a removal that was cut off is then never taken for a
         * copy to go on from. */
        unlink_entry(fd, CHECKPOINT_FILE, 0, &r);
        unlink_entry(fd, CHECKPOINT_FILE ".new", 0, &r);
        unlink_entry(fd, WARM_STATE_FILE, 0, &r);
        unlink_entry(fd, WARM_STATE_FILE ".new", 0, &r);
        unlink_entry(fd, PART_COMMIT_FILE, 0, &r);
        unlink_entry(fd, PART_COMMIT_FILE ".new", 0, &r);
        unlink_entry(fd, PART_OVERLAY_FILE, 0, &r);
        unlink_entry(fd, PART_IMAGE_FILE, 0, &r);
        for (size_t i = 0; i < ELEMENTSOF(unpacked); i++)
                unlink_entry(fd, unpacked[i], 0, &r);
        return r;
}

int part_directory_empty(int part_fd) {
        char name[32];
        int r = empty_disk(part_fd);

        for (unsigned i = 2; i <= PART_DISKS_MAX; i++) {
                _cleanup_close_ int fd = -EBADF;
                int k = part_directory_disk(part_fd, i, false, &fd);
                if (k == -ENOENT)
                        continue;
                if (k >= 0)
                        k = empty_disk(fd);
                if (k < 0 && r >= 0)
                        r = k;
                snprintf(name, sizeof(name), "disk%u", i);
                unlink_entry(part_fd, name, AT_REMOVEDIR, &r);
        }
        return r;
}

/* Not while a job works in it: the copy engine holds a lock on the image, or on the directory
 * (part_open()). */
int part_directory_lock_image(int fd, int *ret_image_fd) {
        _cleanup_close_ int image_fd =
                        openat(fd, PART_IMAGE_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

        if (flock(fd, LOCK_EX | LOCK_NB) < 0 || (image_fd >= 0 && flock(image_fd, LOCK_EX | LOCK_NB) < 0))
                return errno == EWOULDBLOCK ? -EBUSY : -errno;
        *ret_image_fd = TAKE_FD(image_fd);
        return 0;
}

int part_directory_remove(PartDirectory *p) {
        _cleanup_close_ int image_fd = -EBADF;

        if (p->fd < 0)
                return 0;
        int r = part_directory_lock_image(p->fd, &image_fd);
        if (r < 0)
                return r;
        r = part_directory_empty(p->fd);
        unlink_entry(p->fd, PART_LOCK_FILE, 0, &r);
        unlink_entry(p->parent_fd, p->name, AT_REMOVEDIR, &r);
        (void) sync_directory(p->parent_fd);
        return r;
}

void part_directory_remove_empty(PartDirectory *p) {
        if (p->fd >= 0 && unlinkat(p->parent_fd, p->name, AT_REMOVEDIR) >= 0)
                (void) sync_directory(p->parent_fd);
}

void part_directory_remove_if_useless(PartDirectory *p) {
        if (p->fd < 0 || faccessat(p->fd, PART_COMMIT_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
                        faccessat(p->fd, WARM_STATE_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return;
        for (unsigned disk = 1; disk <= PART_DISKS_MAX; disk++) {
                _cleanup_close_ int dir = -EBADF;

                if (part_directory_disk(p->fd, disk, false, &dir) < 0)
                        continue;
                if (faccessat(dir, CHECKPOINT_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                        return;
        }
        (void) part_directory_remove(p);
}
