/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which files of the machine a job may see: the paths of its spec with every symlink resolved, checked
 * against the system's own directories and the configuration. */

#include "manager/job-files.h"
#include "manager/path-rules.h"
#include "spec/job-file.h"
#include "spec/job-spec.h"

/* Looks at the machine for what @spec names. Symlinks are followed: this is for the submission, where the
 * paths are resolved once.
 *
 * 0; -EPERM (a path that may not be used), -EBADMSG (a path that cannot be used as what the spec says) or
 * -ENOENT (the source is not there), with {"source.path", "/a/b: …"} in @errors; -ENOMEM. */
int job_files_resolve(const JobSpec *spec, const PathRules *rules, JobFiles *ret, JsonErrors *errors);

/* The same with paths that were resolved before: a symlink in them is an error (-EBADMSG), since somebody
 * put it there since. */
int job_files_check(const JobSpec *spec, const PathRules *rules, JobFiles *ret, JsonErrors *errors);
