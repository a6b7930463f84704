/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Fields of a job are kept if nothing here knows them, since clients of several versions exist. But a
 * setting that exists and was written in the wrong place, or under a name that is nearly right, would be
 * lost without a word: it is refused, with the right name. */

#include "json/json-table.h"

/* The name that a client uses for a canonical path ("image.format" for "source.format"). NULL when out of
 * memory; the caller frees it. */
typedef char *(*job_field_name_func)(void *userdata, const char *canonical);

/* Looks at errors->unknown and adds an error for each of them that is a misplaced setting. 0 or -ENOMEM. */
int job_misplaced_check(JsonErrors *errors, job_field_name_func name, void *userdata);
