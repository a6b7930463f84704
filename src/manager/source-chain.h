/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files that a source image names: the extents of a VMDK, and the images that it is on top of. No name
 * in an image leads to a file that its submitter could not have named: the same rules hold for it, and
 * symbolic links are not followed. */

#include "manager/job-files.h"
#include "manager/path-rules.h"

/* Adds to f->source_files what the image @path, which is there already, needs. @field is the one of the spec
 * that names it. 0; -EBADMSG with an error of this field; -ENOMEM. */
int source_chain_add(const JobSpec *spec, const PathRules *rules, const char *field, const char *path,
                JobFiles *f, JsonErrors *errors);
