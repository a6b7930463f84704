/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What to do next about a job that has failed. */

#include "ctl/job-view.h"

/* One sentence or two for the failure that the job's result names, with the job's id in it, or, where it
 * names none that we know, where to read on. "" for a job that has not failed. NULL when out of memory;
 * the caller frees it. */
char *job_remedy(const JobView *v, const char *id);
