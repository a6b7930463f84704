/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The table of a job's fields: what each is called, which values it takes, and where it is in JobSpec. */

#include "json/json-table.h"

/* Of the whole spec; ends with a row without a key. */
extern const JsonField job_fields[];

/* The row of a field by its canonical path ("execution_policy.priority"); NULL if there is none. */
const JsonField *job_field(const char *path) _pure_;
