/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the job sees of the machine was bound by its path, some time after the manager had checked that path:
 * another file may be there now. A bind does not change any more, so what is found right once stays
 * right. */

#include <sys/stat.h>

#include "job/attempt.h"

/* @st is the file that was opened as @path. 0, or a failure that names the path, with the code @code. A plan
 * without such a list is one that is carried out by hand: 0. */
int bound_check(Attempt *a, const char *path, const struct stat *st, const char *code);

/* The same for what is there now; 0 also if nothing is: who needs it will say so. */
int bound_check_path(Attempt *a, const char *path, const char *code);
