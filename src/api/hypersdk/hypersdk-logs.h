/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The log of a job. */

#include "api/http/request.h"
#include "store/jobs.h"

/* Replies with the last @tail lines of the job's log (0: all). The log is read in steps, between which the
 * event loop serves others. Takes @row, also on failure. */
int hypersdk_reply_logs(Request *r, JobRow *row, size_t tail);
