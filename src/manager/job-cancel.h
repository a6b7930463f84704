/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The cancel of a job. */

#include "manager/manager.h"

/* Cancels the job: recorded first, then carried out. 0 or negative errno with @error set. */
int manager_cancel_job(Manager *m, const char *id, sd_bus_error *error);
/* The same, for another reason than a request; it is shown. */
int manager_cancel_job_because(Manager *m, const char *id, const char *reason, sd_bus_error *error);
