/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <jansson.h>

/* Writes a file of a job's directory; job_file_read() reads it. */
int job_file_write(const char *directory, const char *name, json_t *value);
