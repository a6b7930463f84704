/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The note that the changes of a guest are being written to the images of the source: the file "committing"
 * in the part directory of the first disk. It is there from before the first byte until all are written. The
 * part directories of the further disks have a file of that name, too, which names the first disk. */

#include "job/attempt.h"
#include "job/part-directory.h"

typedef struct InPlaceMark {
        size_t n_disks; /* that are written: the first ones of the source; 0: there is no commit */
        int formats[PART_DISKS_MAX]; /* DiskFormat of each */
        bool own; /* it is this job's */
        bool done; /* all is written */
} InPlaceMark;

/* Reads the note in @p, which is open. That of another job whose changes are complete is none. 0, or negative
 * errno after attempt_fail(), also if the disks are not those of @a. */
int in_place_mark_read(Attempt *a, const PartDirectory *p, InPlaceMark *ret);

/* prepare: 0, or -EBUSY after attempt_fail() if another commit into a further disk of @a was interrupted. */
int in_place_mark_check_further(Attempt *a);

/* Makes the note durable, for this job. 0 or negative errno. */
int in_place_mark_write(const Attempt *a, const PartDirectory *p, const InPlaceMark *mark);

/* Removes the notes: nothing was written, or all of it and @p is about to be removed. */
void in_place_mark_remove(const Attempt *a, const PartDirectory *p);

/* True if a commit into the image @path was begun and is not complete: its content is undefined. */
bool in_place_is_interrupted(const char *path);
