/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The directory ".<name>.hyper-part" beside a destination, in which its image grows, and the way out of it.
 * It is made and emptied with full privileges in directories that users may own, so: no symlink is followed
 * anywhere, nothing is replaced, nothing but the known entries is touched.
 *
 *   lock                         who works here (part-lock.h)
 *   image, checkpoint            the first disk
 *   warm                         how far a warm migration is (warm-state.h)
 *   fix.qcow2                    the changes of its guest, until they are in the image
 *   committing                   they are being written to the images (guest-commit.h)
 *   disk2/image, disk2/checkpoint, disk3/…    the further disks of an OVA
 */

#include "basic/safe-open.h"
#include "job/output-layout.h"
#include "spec/job-file.h"

/* Where an NBD destination's checkpoint is, in the directory of the results. */
#define RESULTS_CHECKPOINT_DIRECTORY "part"

/* Files in the job's directory that are its own, beside those of spec/job-file.h: which directory prepare
 * made and for which user, and which files finish is giving their names. hyper-job run can write neither. */
#define RECORD_PREPARED "prepared"
#define RECORD_PUBLISHING "publishing"
/* The first of the further outputs' names that is taken: its number, or 0. */
#define RECORD_TAKEN "taken"

#define PART_OVERLAY_FILE "fix.qcow2"
#define PART_COMMIT_FILE "committing"

/* Names in the part directory of a disk, those of unpack.h. */
#define UNPACKED_FILES                                                                                     \
        "archive", "archive.new", "archive.identity", "source", "source.new", "source.identity", "pieces", \
                        "pieces.new", "pieces.identity"

typedef struct PartDirectory {
        int parent_fd;
        int fd; /* -EBADF: the directory is not there */
        char *path, *name;
} PartDirectory;

#define PART_DIRECTORY_INIT                       \
        (PartDirectory) {                         \
                .parent_fd = -EBADF, .fd = -EBADF \
        }
void part_directory_done(PartDirectory *p);
#define _cleanup_part_directory_ _cleanup_(part_directory_done)

/* Opens the directory's parent, and the directory if it is there. 0; -ELOOP, -ENOENT, … for the parent;
 * -EPERM with *ret_error if what is there under the name is not a directory of ours. */
int part_directory_open(const char *path, PartDirectory *ret, char **ret_error);

/* Makes the directory if it is not there, for root only; @p is open. */
int part_directory_make(PartDirectory *p);

/* Notes in the job's directory which directory it is and who may write to it, and checks it: a user who owns
 * the parent could put another in its place. -ESTALE: it is another one; -ENOENT: none was noted. *ret_uid
 * may be NULL. */
int part_directory_record(const PartDirectory *p, int job_fd, uid_t uid);
int part_directory_check_record(int part_fd, int job_fd, uid_t *ret_uid);

/* Notes in the job's directory which of the names of further disks is taken first (there may be no further
 * disk: that is known only later), and reads it; 0: none. */
int part_directory_record_taken(const PartDirectory *p, int job_fd, const JobEndpoint *destination);
int part_directory_read_taken(int job_fd, unsigned *ret);

/* The place of disk @disk: the directory itself or one below, made if @create. The caller closes *ret_fd. */
int part_directory_disk(int part_fd, unsigned disk, bool create, int *ret_fd);

/* Locks the image in the directory of a disk, and the directory: nobody works there. -EBUSY: somebody does.
 * The caller closes *ret_image_fd, which is -EBADF if there is no image. */
int part_directory_lock_image(int fd, int *ret_image_fd);

/* Removes the known entries and, if nothing else is in it, the directory. -ENOTEMPTY: something else is. 0
 * too if it is not there. */
int part_directory_remove(PartDirectory *p);
/* Only its known entries; the directory itself stays. */
int part_directory_empty(int part_fd);
/* The directory, if nothing is in it. */
void part_directory_remove_empty(PartDirectory *p);
/* The directory and its known entries, if no checkpoint says that another attempt could go on from them. */
void part_directory_remove_if_useless(PartDirectory *p);

/* True if the marker @name is in the job's directory. */
bool marker_exists(int job_fd, const char *name);

/* True for the numbers that systemd takes, https://systemd.io/UIDS-GIDS. */
static inline bool uid_is_dynamic(uid_t uid) {
        return uid >= 61184 && uid <= 65519;
}
