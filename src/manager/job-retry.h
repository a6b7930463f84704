/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* RetryJob: a job that has failed is queued again, and goes on from what its last attempt has left. */

#include "manager/manager.h"
#include "manager/submit-options.h"

/* Queues the FAILED job @id. @options has the role of the caller, and the secrets that the job had: they
 * were removed when it failed. 0, or negative errno with @error set. */
int manager_retry_job(Manager *m, const char *id, const SubmitOptions *options, JsonErrors *fields,
                sd_bus_error *error);
