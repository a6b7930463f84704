/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files in datastores, and their URLs in /folder. Nothing here talks to the server. */

#include "vsphere/session.h"

/* Takes "[DATASTORE] DIRECTORY/FILE" apart. 0, -EINVAL or -ENOMEM. */
int datastore_path_split(const char *path, char **ret_datastore, char **ret_file);
/* "X-flat.vmdk" for "X.vmdk": the file with the content of a disk that has no snapshots */
int datastore_path_flat(const char *path, char **ret);
/* "https://HOST/folder/DIRECTORY/FILE?dcPath=…&dsName=…"; @datacenter is VmDetail.datacenter_path */
int datastore_path_url(const Session *s, const char *datacenter, const char *path, char **ret);
