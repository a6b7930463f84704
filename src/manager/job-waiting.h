/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "manager/job.h"

/* Logs when the next pass of @j begins, if it waits for one. */
void job_tell_waiting(Job *j);
