/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The user of a job's unit, which systemd makes at its start (DynamicUser=), and the directories that
 * prepare gives it and finish takes back. They belong to root all the time, and the job's group may write to
 * them: so the number of a user that is long gone never owns a directory beside a destination. */

#include <sys/types.h>

#include "job/part-directory.h"

/* Asks systemd for the number of a user that it made, https://systemd.io/USER_GROUP_API. 0; -ESRCH: there is
 * no such user; or what talking to systemd gave. */
int job_user_lookup(const char *name, uid_t *ret);

/* 1 if a unit runs with this number now, 0 if none does. */
int job_user_is_alive(uid_t uid);

/* Lets the user's group write to the directory, and gives it the known entries in it. */
int part_directory_give(int part_fd, uid_t uid);

/* root:root, for nobody else. What is no plain file or directory stays as it is. */
int part_directory_take_back(int part_fd);

/* The job's own directory: results/ and the directory for a checkpoint in it, given to the user. */
int results_directory_give(int job_fd, uid_t uid);

/* The gid of a directory that a job's group may write to, 0 if none may. */
int part_directory_group(int part_fd, gid_t *ret);
