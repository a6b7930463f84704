/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Giving finished outputs their names, all or none. */

#include "job/part-directory.h"

/* May the images keep the names that they have got? 0 or negative errno. */
typedef int (*publish_check)(void *userdata);

/* Gives the images of the first @n places, which are @uid's or root's, to root and their final names, all or
 * none. It can be cut off at any time and called again: a record in the job's directory, RECORD_PUBLISHING,
 * says which files they are. 0 also if all of it was done before; -EEXIST if something else has such a name;
 * -EBUSY if another job writes to one; *ret_error says what went wrong (caller frees). On success everything
 * is on stable storage, and the marker JOB_MARK_PUBLISHED is there. On failure no image has its final name.
 * @check, which may be NULL, is called when all have their names, and its failure takes them back. */
int outputs_publish(PartDirectory *p, int job_fd, uid_t uid, const JobEndpoint *destination, unsigned n,
                publish_check check, void *userdata, char **ret_error);

/* Takes the images of a publication that was cut off back into the part directory. 0 also if there was none.
 * May be cut off and called again, too. */
int outputs_unpublish(PartDirectory *p, int job_fd, const JobEndpoint *destination);
