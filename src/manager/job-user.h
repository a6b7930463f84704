/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/macro.h"

/* The name of the user that a job runs as, which systemd makes for it (DynamicUser= in systemd.exec(5)):
 * "hyper-" and 125 bits of the SHA-256 of the job's id. So nobody can choose ids of two jobs that would
 * share a user. NULL when out of memory. */
char *job_user_name(const char *job_id);
