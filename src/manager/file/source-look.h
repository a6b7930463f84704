/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is in a file that may become the source of a job. hyper-job finds it out in a sandbox of its own, for
 * which hyper-inspect.socket starts a process; the manager only opens the file. */

#include <jansson.h>

#include "manager/path-rules.h"
#include "json/json-table.h"

/* {"type", "path", "format", "size", "disks", "vm", "concerns"}, see spec/inspection.h; "size" is that of all
 * disks, or null. @socket: where hyper-job listens. 0; -EPERM, -EBADMSG with @errors; -EAGAIN: hyper-job does
 * not answer; -ENOMEM. Blocks. */
int source_look(const PathRules *rules, const char *path, const char *socket, json_t **ret,
                JsonErrors *errors);

/* The size of all @disks, null if that of one of them is not known. A new reference. */
json_t *disks_size(const json_t *disks);
