/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The part directory: the unfinished image, its lock, its checkpoint. */

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "engine/endpoint-qcow2.h"
#include "engine/endpoint-raw.h"
#include "engine/extent-cursor.h"
#include "engine/part.h"

struct Part {
        int dir_fd, image_fd;
        bool own_image, no_image;
        CheckpointIdentity identity; /* strings are ours */
        uint64_t watermark, state[2];
        const char *why_anew;
};

Part *part_close(Part *p) {
        if (!p)
                return NULL;
        safe_close(p->image_fd);
        safe_close(p->dir_fd);
        free((char *) p->identity.source);
        free((char *) p->identity.destination);
        free(p);
        return NULL;
}

/* Opens one of our files: regular, with one name, no symlink, and never waiting for a FIFO. */
static int open_plain(int dir_fd, const char *name, int flags, int *ret) {
        _cleanup_close_ int fd =
                        openat(dir_fd, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADFD;
        if (st.st_nlink != 1)
                return -EMLINK;
        *ret = TAKE_FD(fd);
        return 0;
}

/* The image's inode, 0 if there is none. */
static int image_inode(const Part *p, uint64_t *ret) {
        struct stat st;

        if (fstatat(p->dir_fd, PART_IMAGE_FILE, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                if (errno != ENOENT)
                        return -errno;
                st.st_ino = 0;
        }
        *ret = st.st_ino;
        return 0;
}

/* An image of our own is locked itself; for another one, which its writer locks in its own way, the
 * directory is. Some network file systems cannot lock a directory; that lock is the second one then and can
 * be missed. */
static int take_lock(const Part *p) {
        struct stat st;
        uint64_t inode = 0;

        if (!p->own_image) {
                if (flock(p->dir_fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
                        return -EBUSY;
                return 0;
        }
        if (flock(p->image_fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EBUSY : -errno;
        /* Between opening and locking, the one who had the lock may have finished and renamed it away. */
        if (fstat(p->image_fd, &st) < 0)
                return -errno;
        int r = image_inode(p, &inode);
        if (r < 0)
                return r;
        return inode == st.st_ino ? 0 : -EBUSY;
}

static int remove_checkpoint(const Part *p) {
        if (unlinkat(p->dir_fd, CHECKPOINT_FILE, 0) < 0)
                return errno == ENOENT ? 0 : -errno;
        return fsync(p->dir_fd) < 0 ? -errno : 0;
}

static int read_checkpoint(const Part *p, Checkpoint **ret) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *text = NULL;
        struct stat st;

        int r = open_plain(p->dir_fd, CHECKPOINT_FILE, O_RDONLY, &fd);
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size > CHECKPOINT_MAX)
                return -EBADMSG;
        text = malloc((size_t) st.st_size + 1);
        if (!text)
                return -ENOMEM;
        r = pread_full(fd, text, (size_t) st.st_size, 0);
        if (r < 0)
                return r;
        return checkpoint_decode(text, (size_t) st.st_size, ret);
}

/* Takes over an earlier attempt's watermark. If there is none that fits, its checkpoint goes before anything
 * is written: it would speak of an image that is no more. */
static int look_back(Part *p) {
        _cleanup_(checkpoint_freep) Checkpoint *c = NULL;
        uint64_t inode = 0;

        int r = image_inode(p, &inode);
        if (r < 0)
                return r;
        r = read_checkpoint(p, &c);
        if (r == -ENOENT)
                return 0;
        if (r < 0 && r != -EBADMSG)
                return r;
        if (r < 0 || (c->watermark % EXTENT_BLOCK != 0 && c->watermark != c->size))
                p->why_anew = "its checkpoint cannot be read";
        else if ((inode == 0) != p->no_image || !checkpoint_matches(c, &p->identity, inode))
                p->why_anew = "the source, the destination or the unfinished image is another one now";
        if (p->why_anew)
                return remove_checkpoint(p);
        p->watermark = c->watermark;
        memcpy(p->state, c->state, sizeof(p->state));
        return 0;
}

/* Room for one checkpoint, under the name that the next one is written under: a copy that fills the disk can
 * still say how far it got. Without it the copy works as well, so a failure is nobody's business. */
static void make_reserve(const Part *p) {
        _cleanup_close_ int fd = openat(p->dir_fd, CHECKPOINT_FILE ".new",
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

        if (fd >= 0)
                (void) posix_fallocate(fd, 0, CHECKPOINT_RESERVE);
}

static int part_open_files(Part *p, int dir_fd) {
        int r;

        /* Opened anew, so that the lock is not shared with the caller's descriptor. */
        p->dir_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (p->dir_fd < 0)
                return -errno;
        if (p->own_image) {
                r = open_plain(p->dir_fd, PART_IMAGE_FILE, O_RDWR | O_CREAT, &p->image_fd);
                if (r < 0)
                        return r;
        }
        r = take_lock(p);
        if (r < 0)
                return r;
        make_reserve(p);
        return look_back(p);
}

int part_open(int dir_fd, const CheckpointIdentity *id, unsigned flags, Part **ret, char **ret_error) {
        _cleanup_(part_closep) Part *p = new0(Part, 1);

        if (!p)
                return -ENOMEM;
        p->dir_fd = p->image_fd = -EBADF;
        p->own_image = flags & PART_OWN_IMAGE;
        p->no_image = flags & PART_NO_IMAGE;
        if (strlen(id->source) > CHECKPOINT_TEXT_MAX || strlen(id->destination) > CHECKPOINT_TEXT_MAX)
                return -ENAMETOOLONG;
        p->identity = (CheckpointIdentity){
                .source = strdup(id->source), .size = id->size, .destination = strdup(id->destination)
        };
        if (!p->identity.source || !p->identity.destination)
                return -ENOMEM;

        int r = part_open_files(p, dir_fd);
        if (r == -EBUSY)
                *ret_error = strdup("another job is writing this destination; wait until it is finished, or "
                                    "cancel it");
        else if (r < 0)
                *ret_error = strprintf("opening the unfinished image: %s", strerror(-r));
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

uint64_t part_watermark(const Part *p) {
        return p->watermark;
}

const uint64_t *part_state(const Part *p) {
        return p->state;
}

const char *part_why_anew(const Part *p) {
        return p->why_anew;
}

int part_reset(Part *p) {
        p->watermark = p->state[0] = p->state[1] = 0;
        return remove_checkpoint(p);
}

int part_save(Part *p, uint64_t watermark, const uint64_t state[static 2]) {
        Checkpoint c = {
                .source = (char *) p->identity.source,
                .size = p->identity.size,
                .destination = (char *) p->identity.destination,
                .watermark = watermark,
                .state = { state[0], state[1] },
        };
        _cleanup_free_ char *text = NULL;

        int r = image_inode(p, &c.image_inode);
        if (r < 0)
                return r;
        text = checkpoint_encode(&c);
        if (!text)
                return -ENOMEM;
        /* This gives back the reserve first: the new file takes its name. */
        r = write_file_atomic_at(p->dir_fd, CHECKPOINT_FILE, text, strlen(text), 0600);
        make_reserve(p);
        if (r < 0)
                return r;
        p->watermark = watermark;
        memcpy(p->state, c.state, sizeof(p->state));
        return 0;
}

static int open_format(const Part *p, const char *format, Compression compression, const char *label,
                Endpoint **ret, char **ret_error) {
        Qcow2Options qcow2 = {
                .size = p->identity.size,
                .compression = compression,
                .watermark = p->watermark,
                .state = { p->state[0], p->state[1] },
        };

        if (streq(format, "raw"))
                return endpoint_raw_new(p->image_fd, p->identity.size, p->watermark, label, ret, ret_error);
        if (streq(format, "qcow2"))
                return endpoint_qcow2_new(p->image_fd, &qcow2, label, ret, ret_error);
        return -EOPNOTSUPP;
}

int part_open_endpoint(Part *p, const char *format, Compression compression, const char *label,
                Endpoint **ret, uint64_t *ret_watermark, char **ret_error) {
        if (!p->own_image)
                return -EBADF;
        int r = open_format(p, format, compression, label, ret, ret_error);
        if (r == -EBADMSG && p->watermark > 0) {
                free(TAKE_PTR(*ret_error));
                p->why_anew = "the unfinished image does not hold what its checkpoint says";
                r = part_reset(p);
                if (r >= 0)
                        r = open_format(p, format, compression, label, ret, ret_error);
        }
        if (r < 0)
                return r;
        *ret_watermark = p->watermark;
        return 0;
}
