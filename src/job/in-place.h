/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A source whose guest is changed in place. "run" cannot write to the image: it makes the changes in an
 * overlay in the part directory. "finish" commits the overlay, after it has claimed the end of the job.
 * Before the first byte, it writes the file "committing"; a commit that is interrupted is repeated, by the
 * next finish or by the next job that prepares the same image. */

#include "job/attempt.h"
#include "job/part-directory.h"

/* prepare: completes the commit of an earlier attempt, or of another job, and notes the state of the source.
 * If the commit was this job's, its result is written again and the job is complete. @p is open. Notes
 * failures in the attempt. */
int in_place_prepare(Attempt *a, PartDirectory *p);

/* finish: the same for what finish does. @succeeded: run has ended well. */
int in_place_finish(Attempt *a, bool succeeded);

/* True if a commit into the image @path was begun and is not complete: its content is undefined. */
bool in_place_is_interrupted(const char *path);
