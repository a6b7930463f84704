/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which files of the machine a job may see: the paths of its spec with every symlink resolved, checked
 * against the system's own directories and the configuration. */

#include "manager/path-rules.h"
#include "spec/job-file.h"
#include "spec/job-spec.h"

typedef struct JobFiles {
        char *source_path; /* FILE: resolved */
        char **source_files; /* FILE: the image first, then the other files of a split one */
        char *destination_path; /* FILE: resolved directory and the name */
        char *part_dir; /* FILE: ".<name>.hyper-part" beside it; NULL for a block device */
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

/* Looks at the machine for what @spec names. Symlinks are followed: this is for the submission, where the
 * paths are resolved once.
 *
 * 0; -EPERM (a path that may not be used), -EBADMSG (a path that cannot be used as what the spec says) or
 * -ENOENT (the source is not there), with "source.path: /a/b: …" in *ret_error, which the caller frees;
 * -ENOMEM. */
int job_files_resolve(const JobSpec *spec, const PathRules *rules, JobFiles *ret, char **ret_error);

/* The same with paths that were resolved before: a symlink in them is an error (-EBADMSG), since somebody
 * put it there since. */
int job_files_check(const JobSpec *spec, const PathRules *rules, JobFiles *ret, char **ret_error);
