/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The source of a warm job that has ended without a result, and that could not be left as it was: its server
 * did not answer. What is left is shown in the result of the job, whose directory and secrets are kept, and
 * "hyper-job put-back" is tried again, for about a day. */

#include "manager/manager.h"

/* @j is finished, and nothing of it runs. Records in its result what is left on its source. True if it has to
 * be tried again: then its directory is needed. */
bool put_back_is_open(Job *j, const char *directory);

/* True if the next try for the job with this directory is not due yet. */
bool put_back_is_early(Manager *m, const char *directory);

/* Another try becomes due at @at. */
void put_back_plan(Manager *m, usec_t at);
