/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writes the changes of a guest, which are in an overlay for each disk, to the images of the source. */

#include "job/attempt.h"
#include "job/part-directory.h"

/* The files that the commit of a disk writes to. They are opened once, so that nobody can put others in their
 * places. */
typedef struct InPlaceFiles {
        char *overlay; /* path */
        char **links; /* "/proc/self/fd/7", of the overlay and all files of the image */
        int *fds; /* of each */
        size_t n;
} InPlaceFiles;

typedef struct InPlaceDisks {
        InPlaceFiles files[PART_DISKS_MAX];
        size_t n;
} InPlaceDisks;

void in_place_disks_done(InPlaceDisks *d);
#define _cleanup_in_place_disks_ _cleanup_(in_place_disks_done)

/* The functions below return 0, or negative errno after attempt_fail(). */

/* Opens the overlays in @p and the images of the first @n disks. */
int in_place_disks_open(Attempt *a, const PartDirectory *p, size_t n, InPlaceDisks *ret);

/* prepare: notes the state of the source. */
int in_place_note_state(Attempt *a);

/* Before the first byte: that nobody has written to the source since prepare, that it is not in use and can
 * be written, and that there is space. Then makes the overlays durable. */
int in_place_disks_check(Attempt *a, const PartDirectory *p, const InPlaceDisks *d);

/* Commits all overlays, in any number of calls, and makes the images durable. -EBUSY with *ret_begun false:
 * nothing was written. */
int in_place_commit(Attempt *a, const InPlaceDisks *d, const int *formats, bool *ret_begun);
