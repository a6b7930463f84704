/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tasks of the server: methods whose name ends in "_Task" return one. */

#include "vsphere/session.h"

/* Called when the progress has changed. */
typedef void (*task_progress_func)(unsigned percent, void *userdata);

/* Calls a method that returns a task, and waits until the task has ended. Blocks for at most @timeout
 * (-ETIMEDOUT; the task goes on). A failed task is an error as if the call had failed. The task is not
 * cancelled with -ECANCELED. @progress and @ret_result (the ID of an object that the task has created, the
 * caller's to free) may be NULL. */
int task_run(Session *s, SoapRequest *request, usec_t timeout, task_progress_func progress, void *userdata,
                char **ret_result);
