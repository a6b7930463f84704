/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is told of a submission. */

#include <systemd/sd-bus.h>

#include "manager/job.h"
#include "json/json-table.h"

/* Notes in the log of a new job. */
void submit_tell(Job *j, char *const *warnings);

/* Its files cannot be used: @r says in which way, and @why with which. Sets @error and @fields; negative
 * errno. */
int submit_refuse_files(int r, const JsonErrors *why, JsonErrors *fields, sd_bus_error *error);
