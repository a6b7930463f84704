/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The changes of a guest are made in an overlay on each copied image, and committed into the images when all
 * of them are complete. A commit that was interrupted is repeated by the next attempt: the file "committing"
 * in the part directory is written before the first byte, and stays until the images are published. */

#include "job/convert.h"

/* Looks for an interrupted commit. If it is this job's, *ret_guest is the guest of the result (new
 * reference), and the sizes of the disks are in @c; else it is NULL, and what a commit of another job left
 * is removed. 0 or negative errno after attempt_fail(). */
int guest_commit_resume(Conversion *c, json_t **ret_guest);

/* Makes an overlay for each disk, and the orders' list of disks (new reference). */
int guest_overlays_make(Conversion *c, json_t **ret_disks);
/* What hyper-guest may open. */
int guest_overlays_files(const Conversion *c, ParserFiles *files);

/* Writes the mark. From then on, the images belong to this job, and the commit is repeated. */
int guest_commit_begin(Conversion *c, json_t *guest);
/* Commits all overlays; may be called again. */
int guest_commit_all(Conversion *c);
