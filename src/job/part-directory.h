/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The directory ".<name>.hyper-part" beside a destination, in which its image grows, and the way out of it.
 * It is made and emptied with full privileges in directories that users may own, so: no symlink is followed
 * anywhere, nothing is replaced, nothing but the known entries is touched.
 *
 *   lock                         who works here (part-lock.h)
 *   image, checkpoint            the first disk
 *   disk2/image, disk2/checkpoint, disk3/…    the further disks of an OVA
 */

#include "basic/safe-open.h"
#include "spec/job-file.h"

#define PART_DISKS_MAX 64

/* Where an NBD destination's checkpoint is, in the directory of the results. */
#define RESULTS_CHECKPOINT_DIRECTORY "part"

/* Files in the job's directory that are its own, beside those of spec/job-file.h: which directory prepare
 * made and for which user, and which files finish is giving their names. hyper-job run can write neither. */
#define RECORD_PREPARED "prepared"
#define RECORD_PUBLISHING "publishing"
/* The first of the further outputs' names that is taken: its number, or 0. */
#define RECORD_TAKEN "taken"

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

/* The final name of disk @disk (from 1): the destination itself, then "<stem>-disk2.<extension>", … NULL
 * when out of memory. */
char *output_path(const char *destination, unsigned disk);

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
int part_directory_record_taken(const PartDirectory *p, int job_fd, const char *destination);
int part_directory_read_taken(int job_fd, unsigned *ret);

/* The place of disk @disk: the directory itself or one below, made if @create. The caller closes *ret_fd. */
int part_directory_disk(int part_fd, unsigned disk, bool create, int *ret_fd);

/* Gives the @n_disks images, which are @uid's or root's, to root and their final names, all or none. It can
 * be cut off at any time and called again: a record in the job's directory, RECORD_PUBLISHING, says which
 * files they are. 0 also if all of it was done before; -EEXIST if something else has such a name; -EBUSY if
 * another job writes to one; *ret_error says what went wrong (caller frees). On success everything is on
 * stable storage, and the marker JOB_MARK_PUBLISHED is there. On failure no image has its final name. */
int part_directory_publish(PartDirectory *p, int job_fd, uid_t uid, const char *destination,
                unsigned n_disks, char **ret_error);

/* Takes the images of a publication that was cut off back into the part directory. 0 also if there was none.
 * May be cut off and called again, too. */
int part_directory_unpublish(PartDirectory *p, int job_fd, const char *destination);

/* Removes the known entries and, if nothing else is in it, the directory. -ENOTEMPTY: something else is. 0
 * too if it is not there. */
int part_directory_remove(PartDirectory *p);
/* Only its known entries; the directory itself stays. */
int part_directory_empty(int part_fd);
/* The directory and its known entries, if no checkpoint says that another attempt could go on from them. */
void part_directory_remove_if_useless(PartDirectory *p);

/* True if the marker @name is in the job's directory. */
bool marker_exists(int job_fd, const char *name);
