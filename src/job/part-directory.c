/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "engine/checkpoint.h"
#include "job/job-owner.h"
#include "job/part-directory.h"
#include "job/part-lock.h"
#include "job/rename.h"
#include "job/unpack.h"

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

char *output_path(const char *destination, unsigned disk) {
        const char *slash = strrchr(destination, '/'), *dot = strrchr(destination, '.');

        if (disk <= 1)
                return strdup(destination);
        if (!dot || dot <= (slash ? slash + 1 : destination))
                dot = destination + strlen(destination);
        return strprintf("%.*s-disk%u%s", (int) (dot - destination), destination, disk, dot);
}

/* --- the directory --------------------------------------------------------------------------------- */

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
        struct stat st;

        if (fstat(p->fd, &st) < 0)
                return -errno;
        _cleanup_free_ char *text = strprintf(
                        "%ju %ju %ju\n", (uintmax_t) st.st_dev, (uintmax_t) st.st_ino, (uintmax_t) uid);
        if (!text)
                return -ENOMEM;
        return write_file_atomic_at(job_fd, RECORD_PREPARED, text, strlen(text), 0644);
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
        if (st.st_dev != numbers[0] || st.st_ino != numbers[1] || numbers[2] >= UINT32_MAX)
                return -ESTALE;
        if (ret_uid)
                *ret_uid = (uid_t) numbers[2];
        return 0;
}

int part_directory_record_taken(const PartDirectory *p, int job_fd, const char *destination) {
        unsigned taken = 0;
        struct stat st;

        for (unsigned i = 2; i <= PART_DISKS_MAX && taken == 0; i++) {
                _cleanup_free_ char *path = output_path(destination, i);
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
static int lock_directory(int fd, int *ret_image_fd) {
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
        int r = lock_directory(p->fd, &image_fd);
        if (r < 0)
                return r;
        r = part_directory_empty(p->fd);
        unlink_entry(p->fd, PART_LOCK_FILE, 0, &r);
        unlink_entry(p->parent_fd, p->name, AT_REMOVEDIR, &r);
        (void) sync_directory(p->parent_fd);
        return r;
}

void part_directory_remove_if_useless(PartDirectory *p) {
        if (p->fd < 0)
                return;
        for (unsigned disk = 1; disk <= PART_DISKS_MAX; disk++) {
                _cleanup_close_ int dir = -EBADF;

                if (part_directory_disk(p->fd, disk, false, &dir) < 0)
                        break;
                if (faccessat(dir, CHECKPOINT_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                        return;
        }
        (void) part_directory_remove(p);
}

/* --- publishing ------------------------------------------------------------------------------------ */

typedef struct Output {
        char *path; /* for people */
        const char *name; /* in path */
        int dir_fd; /* where its image is; -EBADF: gone already */
        int image_fd; /* holds its lock */
        uint64_t inode;
} Output;

typedef struct Publication {
        Output outputs[PART_DISKS_MAX];
        unsigned n;
        uid_t uid;
} Publication;

static void publication_done(Publication *p) {
        for (unsigned i = 0; i < p->n; i++) {
                free(p->outputs[i].path);
                safe_close(p->outputs[i].dir_fd);
                safe_close(p->outputs[i].image_fd);
        }
}

#define publish_error(ret, error, ...)           \
        ({                                       \
                *(ret) = strprintf(__VA_ARGS__); \
                *(ret) ? -abs(error) : -ENOMEM;  \
        })

/* The record of an earlier call that was cut off: "inode inode …\n", one for each output. */
static int read_record(int job_fd, uint64_t inodes[static PART_DISKS_MAX], unsigned *ret_n) {
        _cleanup_free_ char *text = NULL;
        char *save = NULL;
        unsigned n = 0;

        int r = read_file_at(job_fd, RECORD_PUBLISHING, RECORD_MAX, &text, NULL);
        if (r < 0)
                return r;
        for (char *word = strtok_r(text, " \n", &save); word; word = strtok_r(NULL, " \n", &save), n++)
                if (n >= PART_DISKS_MAX || parse_uint64(word, &inodes[n]) < 0)
                        return -EBADMSG;
        *ret_n = n;
        return n > 0 ? 0 : -EBADMSG;
}

static int write_record(int job_fd, const Publication *p) {
        char text[PART_DISKS_MAX * 21 + 1];
        size_t n = 0;

        for (unsigned i = 0; i < p->n; i++)
                n += (size_t) snprintf(text + n, sizeof(text) - n, "%" PRIu64 "%c", p->outputs[i].inode,
                                i + 1 < p->n ? ' ' : '\n');
        return write_file_atomic_at(job_fd, RECORD_PUBLISHING, text, n, 0600);
}

/* The finished image must be a plain file with one name, made by the job's user: the half that wrote it is
 * not trusted. From here on it is root's. */
static int sync_image(Output *o, uid_t uid, char **ret_error) {
        struct stat st;
        int fd = o->image_fd;

        if (fd < 0)
                return publish_error(ret_error, ENOENT, "The finished image of %s is not there", o->path);
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || (st.st_uid != uid && st.st_uid != geteuid()))
                return publish_error(ret_error, EPERM,
                                "The finished image of %s is not a plain file of this job", o->path);
        if ((st.st_uid != geteuid() && fchown(fd, geteuid(), getegid()) < 0) || fchmod(fd, 0600) < 0)
                return publish_error(ret_error, errno,
                                "The finished image of %s cannot be given to root: %s", o->path,
                                strerror(errno));
        if (fsync(fd) < 0)
                return publish_error(ret_error, errno, "The finished image of %s cannot be flushed: %s",
                                o->path, strerror(errno));
        o->inode = st.st_ino;
        return 0;
}

static int name_taken(const PartDirectory *p, const Output *o, char **ret_error) {
        return publish_error(ret_error, EEXIST,
                        "%s appeared while the job ran, and is not replaced. The finished image is still in "
                        "the directory %s: move one of them away.",
                        o->path, p->path);
}

/* Everything that can be known is checked before the first image gets its name. */
static int begin_publication(PartDirectory *p, int job_fd, Publication *pub, char **ret_error) {
        struct stat st;
        int r;

        for (unsigned i = 0; i < pub->n; i++) {
                Output *o = &pub->outputs[i];
                if (o->dir_fd < 0)
                        return publish_error(
                                        ret_error, ENOENT, "The finished image of %s is not there", o->path);
                if (fstatat(p->parent_fd, o->name, &st, AT_SYMLINK_NOFOLLOW) >= 0)
                        return name_taken(p, o, ret_error);
                if (errno != ENOENT)
                        return -errno;
                r = sync_image(o, pub->uid, ret_error);
                if (r < 0)
                        return r;
        }
        return write_record(job_fd, pub);
}

static bool is_image(int fd, const char *name, uint64_t inode) {
        struct stat st;

        return fd >= 0 && fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0 && st.st_ino == inode;
}

/* Renaming by a second name (rename.h) can be cut off when the image has both: then only the old name must
 * go. */
static int move_image(int from_fd, const char *from, int to_fd, const char *to, uint64_t inode) {
        if (is_image(to_fd, to, inode))
                return unlinkat(from_fd, from, 0) < 0 ? -errno : 0;
        return rename_noreplace(from_fd, from, to_fd, to);
}

static int publish_one(PartDirectory *p, Output *o, char **ret_error) {
        if (!is_image(o->dir_fd, PART_IMAGE_FILE, o->inode))
                return is_image(p->parent_fd, o->name, o->inode)
                                ? 0
                                : publish_error(ret_error, ENOENT, "The finished image of %s is not there",
                                                  o->path);
        int r = move_image(o->dir_fd, PART_IMAGE_FILE, p->parent_fd, o->name, o->inode);
        if (r == -EEXIST)
                return name_taken(p, o, ret_error);
        if (r < 0)
                return publish_error(ret_error, r, "The finished image could not be renamed to %s: %s",
                                o->path, strerror(-r));
        return 0;
}

static int unpublish_one(PartDirectory *p, Output *o) {
        int r = remove_placeholder(p->parent_fd, o->name);

        if (r < 0 && r != -EEXIST)
                return r;
        if (!is_image(p->parent_fd, o->name, o->inode))
                return 0;
        r = o->dir_fd >= 0 ? move_image(p->parent_fd, o->name, o->dir_fd, PART_IMAGE_FILE, o->inode)
                           : -ENOENT;
        return r < 0 ? r : sync_directory(o->dir_fd);
}

/* The record is removed last: until then a later call starts again. */
static int unpublish_all(PartDirectory *p, int job_fd, Publication *pub) {
        int r = 0;

        for (unsigned i = 0; i < pub->n; i++) {
                int k = unpublish_one(p, &pub->outputs[i]);
                r = r < 0 ? r : k;
        }
        int k = sync_directory(p->parent_fd);
        r = r < 0 ? r : k;
        if (r < 0)
                return r;
        if (unlinkat(job_fd, RECORD_PUBLISHING, 0) < 0 && errno != ENOENT)
                return -errno;
        return sync_directory(job_fd);
}

static int publish_all(PartDirectory *p, Publication *pub, const char *destination, char **ret_error) {
        for (unsigned i = 0; i < pub->n; i++) {
                int r = publish_one(p, &pub->outputs[i], ret_error);
                if (r < 0)
                        return r;
        }
        int r = sync_directory(p->parent_fd);
        if (r < 0)
                return publish_error(ret_error, r, "Flushing the directory of %s failed: %s", destination,
                                strerror(-r));
        return 0;
}

static int init_publication(PartDirectory *p, const char *destination, unsigned n_disks, Publication *pub) {
        for (unsigned i = 0; i < n_disks; i++) {
                Output *o = &pub->outputs[i];
                *o = (Output){
                        .dir_fd = -EBADF, .image_fd = -EBADF, .path = output_path(destination, i + 1)
                };
                pub->n++;
                if (!o->path)
                        return -ENOMEM;
                const char *slash = strrchr(o->path, '/');
                if (!slash)
                        return -EINVAL;
                o->name = slash + 1;
                if (p->fd >= 0) {
                        int r = part_directory_disk(p->fd, i + 1, false, &o->dir_fd);
                        if (r < 0 && r != -ENOENT)
                                return r;
                }
        }
        return 0;
}

/* Nobody writes to an image while it gets its name, and two jobs do not give one a name at the same time. */
static int lock_images(Publication *pub, char **ret_error) {
        for (unsigned i = 0; i < pub->n; i++) {
                Output *o = &pub->outputs[i];
                int r = o->dir_fd >= 0 ? lock_directory(o->dir_fd, &o->image_fd) : 0;

                if (r == -EBUSY)
                        return publish_error(
                                        ret_error, r, "Another job is writing the image of %s", o->path);
                if (r < 0)
                        return publish_error(ret_error, r, "The finished image of %s cannot be locked: %s",
                                        o->path, strerror(-r));
        }
        return 0;
}

static int resume_or_begin(PartDirectory *p, int job_fd, Publication *pub, char **ret_error) {
        uint64_t inodes[PART_DISKS_MAX];
        unsigned n;

        int r = read_record(job_fd, inodes, &n);
        if (r == -ENOENT)
                return begin_publication(p, job_fd, pub, ret_error);
        if (r < 0)
                return r;
        if (n != pub->n)
                return -EBADMSG;
        for (unsigned i = 0; i < n; i++)
                pub->outputs[i].inode = inodes[i];
        return 0;
}

int part_directory_publish(PartDirectory *p, int job_fd, uid_t uid, const char *destination,
                unsigned n_disks, char **ret_error) {
        _cleanup_(publication_done) Publication pub = { .uid = uid };
        int r;

        if (marker_exists(job_fd, JOB_MARK_PUBLISHED))
                return 0;
        if (n_disks < 1 || n_disks > PART_DISKS_MAX)
                return -EINVAL;
        r = init_publication(p, destination, n_disks, &pub);
        if (r >= 0)
                r = lock_images(&pub, ret_error);
        if (r < 0)
                return r;
        r = resume_or_begin(p, job_fd, &pub, ret_error);
        if (r < 0)
                return r;
        r = publish_all(p, &pub, destination, ret_error);
        if (r < 0) {
                int k = unpublish_all(p, job_fd, &pub);
                if (k < 0)
                        log_warning_errno(k,
                                        "Failed to take back the outputs of %s that have their names: %m",
                                        destination);
                return r;
        }
        r = write_file_atomic_at(job_fd, JOB_MARK_PUBLISHED, "", 0, 0600);
        if (r < 0)
                return r;
        /* What is left is a checkpoint that nothing needs; a failure to remove it does no harm. */
        (void) part_directory_remove(p);
        return 0;
}

int part_directory_unpublish(PartDirectory *p, int job_fd, const char *destination) {
        _cleanup_(publication_done) Publication pub = {};
        uint64_t inodes[PART_DISKS_MAX];
        unsigned n;

        int r = read_record(job_fd, inodes, &n);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        r = init_publication(p, destination, n, &pub);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < n; i++)
                pub.outputs[i].inode = inodes[i];
        return unpublish_all(p, job_fd, &pub);
}
