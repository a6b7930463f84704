/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods of org.hyper1.Manager about files (files.roots). They access paths in threads, since a network
 * file system may not respond. */

#include "manager/job.h"

/* So many calls run at the same time, those that hang and those that compare a SHA-256 included. */
#define FILE_CALLS_MAX 24u

#define MANAGE_FILES "org.hyper1.manage-files" /* for polkit */

/* All of them run: sets @error, and returns its errno. */
int files_busy(sd_bus_error *error);
/* A thread has ended, and *message, whose call it worked on, is answered if @r is not negative. Otherwise it
 * is answered with @error, or @r if @error is not set. It is unreferenced. */
void file_call_end(Manager *m, sd_bus_message **message, int r, const sd_bus_error *error);

int method_open_file(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_list_files(sd_bus_message *message, void *userdata, sd_bus_error *error);
