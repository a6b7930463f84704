/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Paths in a spec, as far as they can be judged without looking at the disk. */

#include "basic/macro.h"

/* The unfinished output of "<dir>/<name>" is the directory "<dir>/" PREFIX "<name>" SUFFIX. */
#define JOB_PART_PREFIX "."
#define JOB_PART_SUFFIX ".hyper-part"

/* True for a path that may be a source or (with room for its part directory) a destination: absolute, UTF-8,
 * no control characters, no empty, "." or ".." component, nothing of a part directory, not too long.
 * Otherwise *ret_reason says what is wrong ("must be …", static). */
bool job_path_is_valid(const char *path, bool is_destination, const char **ret_reason);

/* "<dir>/.<name>.hyper-part" for a destination. NULL when out of memory. */
char *job_part_path(const char *destination);
