/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A source whose guest is changed in place. "run" cannot write to the images: it makes the changes in an
 * overlay for each disk in the part directory. "finish" commits the overlays, all or none, after it has
 * claimed the end of the job. Before the first byte, it writes the file "committing" (in-place-mark.h); a
 * commit that is interrupted is repeated, by the next finish or by the next job that prepares the same
 * disks. */

#include "job/attempt.h"
#include "job/part-directory.h"

/* prepare: completes the commit of an earlier attempt, or of another job, and notes the state of the source.
 * If the commit was this job's, its result is written again and the job is complete. @p is open. Notes
 * failures in the attempt. */
int in_place_prepare(Attempt *a, PartDirectory *p);

/* finish: the same for what finish does. @succeeded: run has ended well. */
int in_place_finish(Attempt *a, bool succeeded);
