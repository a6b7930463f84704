/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <jansson.h>

/* One file of a job's directory. Reading follows no symlink and takes a plain file of at most @max bytes
 * only: -EBADMSG for anything else. */
int job_file_read(const char *directory, const char *name, size_t max, char **ret, size_t *ret_size);
int job_file_write(const char *directory, const char *name, json_t *value);
