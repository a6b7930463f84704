/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The end of a job's unit: what is missing is done by a further unit ("finish"), then the attempt ends. */

#include "manager/job.h"

/* The unit of @j is gone; or, with @start_error, it never was. Ends the attempt, or goes on with what is
 * left to do for a job that is finished. @j may be freed. */
void unit_gone(Job *j, const char *start_error);
