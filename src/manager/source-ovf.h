/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An OVF in a directory as a source: the descriptor, and the files beside or below it that it may name. No
 * name in it leads to a file that its submitter could not have named: the same rules hold for each, and
 * symbolic links are not followed. */

#include "manager/job-files.h"
#include "manager/path-rules.h"
#include "spec/job-spec.h"

/* The one OVF in the directory @directory, as a path. 0; -ENOENT: there is none; -ENOTUNIQ: there are
 * several, *ret is two of their names; -ENOMEM, or what opendir(3) says. The caller frees *ret. */
int source_ovf_in_directory(const char *directory, char **ret);

/* If f->source_path is an OVF: adds to f->source_files what it names, and its manifest. 0 also if it is
 * none; -EBADMSG with *ret_error (caller frees), "source.path: …"; -ENOMEM. */
int source_ovf_add(const JobSpec *spec, const PathRules *rules, JobFiles *f, JsonErrors *errors);
