/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an endpoint that is an NBD server needs of this machine: a UNIX socket or the network, and
 * certificates. */

#include "manager/job-files.h"
#include "manager/path-rules.h"
#include "spec/job-spec.h"

/* @name: "source" or "destination". Returns as job_files_resolve() does. */
int job_paths_add_nbd(const PathRules *rules, const char *name, const JobEndpoint *e, JobFiles *f,
                JsonErrors *errors);
