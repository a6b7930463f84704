/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The parameters of a warm job: a running virtual machine is copied in passes, and shut down for the last
 * one, the cutover. */

#include "spec/job-settings.h"

/* Between the end of a pass and the next one. */
#define WARM_INTERVAL_DEFAULT 3600u
#define WARM_INTERVAL_MIN 1u
#define WARM_INTERVAL_MAX 604800u /* a week */

/* Checks the parameters of a warm job, of which @parameters has the text, and completes them in @s; those
 * that are for warm jobs only are refused for other jobs. Errors are added at "parameters.FIELD" and at the
 * field that does not go with a warm job. 0 or -ENOMEM. */
int warm_spec_check(JobSpec *s, json_t *parameters, JsonErrors *errors);

/* Puts the parameters of a warm job into their canonical form, in the document of the spec. 0 or -ENOMEM. */
int warm_spec_fill(const JobSpec *s, json_t *parameters);
