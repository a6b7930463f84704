/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which files and devices of the machine a job uses and sees. */

#include <sys/stat.h>

#include "basic/macro.h"

typedef struct JobFiles {
        char *source_path; /* FILE: resolved */
        char **source_files; /* FILE: the image first, then the other files of a split one */
        char *destination_path; /* FILE: resolved directory and the name */
        char *part_dir; /* FILE: ".<name>.hyper-part" beside it, or beside a source that is changed in
                           place; NULL for a block device */
        char **sockets; /* NBD over a UNIX socket: that socket */
        char **devices; /* block devices: path, "r" or "rw", path, …; as they were named, links of udev
                           included */
        char **tls_files; /* NBD with TLS: the certificates and the key in its directory */
        char **bound; /* what each of all these is: file_identity_text() */
        bool network; /* an end is on another machine, or behind a port of this one */
} JobFiles;

void job_files_done(JobFiles *f);

/* Adds to f->bound what the path was when it was checked: hyper-job takes nothing else for it. 0 or
 * -ENOMEM. */
int job_files_note(JobFiles *f, const char *path, const struct stat *st);
