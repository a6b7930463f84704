/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* nbdkit with its vddk plugin as a child process. */

#include "job/server.h"
#include "job/vsphere-source.h"

/* 1: nbdkit, its plugin and the library can be loaded; 0: something is missing, *ret_why_not (caller frees)
 * is a sentence about it; negative errno. */
int vddk_child_probe(VsphereSource *v, char **ret_why_not);

/* Starts nbdkit for disk @disk. Errors as server_group_start(). */
int vddk_child_start(VsphereSource *v, size_t disk, ServerGroup **ret, char **ret_error);
/* The disk is open: removes the file with the password. */
void vddk_child_forget_password(VsphereSource *v);
/* Removes what the functions above have made; what the library made is gone with the job. */
void vddk_child_done(VsphereSource *v);
