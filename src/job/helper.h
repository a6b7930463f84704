/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* This program as a helper of itself: verbs that read hostile bytes with libraries, in a child with limits
 * that has one file to read (descriptor 3) and one to write (standard output). */

#include "job/child.h"

/* Called a few times a second while the child runs; a negative errno kills it, and is returned. */
typedef int (*helper_tick_func)(void *userdata);

/* Starts "hyper-job @argv…" and returns; @err_fd gets what it complains about. 0 or negative errno. */
int helper_start(const char *const argv[], const ChildLimits *limits, int in_fd, int out_fd, int err_fd,
                pid_t *ret);

/* Runs "hyper-job @argv…" to its end. 0 once it has ended, however it did: look at *ret_status. *ret_errors
 * is what it complained about, bounded and cleaned (caller frees). -ECANCELED: @cancel_fd (or negative)
 * became readable; -ETIMEDOUT; what @tick returned; in these cases the child is dead. */
int helper_run(const char *const argv[], const ChildLimits *limits, int in_fd, int out_fd, int cancel_fd,
                helper_tick_func tick, void *userdata, int *ret_status, char **ret_errors);
