/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "engine/checkpoint.h"
#include "job/publish.h"
#include "job/rename.h"

#define RECORD_MAX 8192

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

static int publish_all(
                PartDirectory *p, Publication *pub, const JobEndpoint *destination, char **ret_error) {
        for (unsigned i = 0; i < pub->n; i++) {
                int r = publish_one(p, &pub->outputs[i], ret_error);
                if (r < 0)
                        return r;
        }
        int r = sync_directory(p->parent_fd);
        if (r < 0)
                return publish_error(ret_error, r, "Flushing the directory of %s failed: %s",
                                destination->path, strerror(-r));
        return 0;
}

static int init_publication(PartDirectory *p, const JobEndpoint *destination, unsigned n, Publication *pub) {
        for (unsigned i = 0; i < n; i++) {
                Output *o = &pub->outputs[i];
                *o = (Output){
                        .dir_fd = -EBADF, .image_fd = -EBADF, .path = layout_path(destination, i + 1)
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
                int r = o->dir_fd >= 0 ? part_directory_lock_image(o->dir_fd, &o->image_fd) : 0;

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

int outputs_publish(PartDirectory *p, int job_fd, uid_t uid, const JobEndpoint *destination, unsigned n,
                publish_check check, void *userdata, char **ret_error) {
        _cleanup_(publication_done) Publication pub = { .uid = uid };
        int r;

        if (marker_exists(job_fd, JOB_MARK_PUBLISHED))
                return 0;
        if (n < 1 || n > PART_DISKS_MAX)
                return -EINVAL;
        r = init_publication(p, destination, n, &pub);
        if (r >= 0)
                r = lock_images(&pub, ret_error);
        if (r < 0)
                return r;
        r = resume_or_begin(p, job_fd, &pub, ret_error);
        if (r < 0)
                return r;
        r = publish_all(p, &pub, destination, ret_error);
        if (r >= 0 && check)
                r = check(userdata);
        if (r < 0) {
                int k = unpublish_all(p, job_fd, &pub);
                if (k < 0)
                        log_warning_errno(k,
                                        "Failed to take back the outputs of %s that have their names: %m",
                                        destination->path);
                return r;
        }
        r = write_file_atomic_at(job_fd, JOB_MARK_PUBLISHED, "", 0, 0600);
        if (r < 0)
                return r;
        /* What is left is a checkpoint that nothing needs; a failure to remove it does no harm. */
        (void) part_directory_remove(p);
        return 0;
}

int outputs_unpublish(PartDirectory *p, int job_fd, const JobEndpoint *destination) {
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
