/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A job's own directory <state>/jobs/<escaped id>/, and the directory <runtime>/<escaped id>/ in which
 * its unit's file system is put together. A hostile image may have taken over a job and written into
 * "results" in the first: no symlink in it is followed. */

#include "basic/macro.h"

/* "<state>/jobs/<escaped id>" and "<runtime>/<escaped id>". NULL when out of memory. */
char *job_directory_path(const char *state_directory, const char *job_id);
char *job_root_path(const char *runtime_directory, const char *job_id);

/* Makes the directory (0700) with its parents if it is not there. */
int job_directory_make(const char *path);

/* Makes the directory's results too, and lets the job's user read it. */
int job_directory_make_readable(const char *path);

/* The directories of programs and libraries that are links into /usr on most machines. */
extern const char *const job_root_links[];

/* Where such a link of this machine points to: 1. 0 if it is something else than a link into /usr, or
 * missing: then it is bound into the root of a job like other directories. */
int job_root_link_target(const char *path, char **ret);

/* Makes the directory, with those links in it; the job's user sees it as "/". The one above is for root
 * only. Each link saves a mount, and systemd reads the list of mounts once or more for each of them. */
int job_root_make(const char *path);

/* Forgets what a former attempt left in it: its result. */
int job_directory_clear_result(const char *path);

/* Removes a directory and all that is in it; 0 also if there is none. */
int remove_tree(const char *path);

/* The ids of all jobs that have a directory below <state>/jobs; the caller frees with strv_free(). */
int job_directories_list(const char *state_directory, char ***ret);
