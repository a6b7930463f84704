/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A job's id, and the names of units and directories that are made from it. */

#include "basic/macro.h"

#define JOB_ID_MAX 128

/* [A-Za-z0-9][A-Za-z0-9._:-]{0,127}, and no more "-" in it than fit into a unit's name, where each takes
 * four characters (36 in the longest id). */
bool job_id_is_valid(const char *id) _pure_;
/* A random UUID (RFC 9562, version 4) in the usual form. 0 or negative errno; the caller frees *ret. */
int job_id_make(char **ret);

/* "hyper-job-<escaped id>.service", escaped as systemd-escape(1) does. NULL when out of memory. */
char *job_unit_name(const char *id);
/* The id in such a name; -EINVAL for other names. The caller frees *ret. */
int job_id_from_unit_name(const char *unit, char **ret);
/* The directory name for a job's files, below <state>/jobs/: the same escaping. */
char *job_escape_id(const char *id);
