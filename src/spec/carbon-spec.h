/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The object "carbon" of a job: it waits until the carbon intensity is low. */

#include "spec/carbon-data.h"
#include "spec/job-settings.h"

#define CARBON_LIMIT_MIN 1u /* of max_intensity, gCO2eq/kWh */
#define CARBON_LIMIT_MAX 2000u
#define CARBON_DELAY_DEFAULT 14400u /* seconds */
#define CARBON_DELAY_MAX 604800u
#define CARBON_MINUTES_MIN 15u
#define CARBON_MINUTES_MAX 1440u
#define CARBON_MINUTES_DEFAULT 60u

/* What a job does if there is no usable data. */
typedef enum CarbonMissing {
        CARBON_MISSING_RUN,
        CARBON_MISSING_FAIL,
} CarbonMissing;

/* Its fields; the offsets count from the spec. */
extern const JsonField carbon_spec_fields[];

/* The values if nothing is given. */
void carbon_spec_init(JobSpec *s);
/* Checks what @object, the value of "carbon", asks for, and completes it in @s; NULL or null: the job does
 * not wait. Errors are added at "carbon.FIELD". 0 or -ENOMEM. */
int carbon_spec_check(JobSpec *s, json_t *object, JsonErrors *errors);
/* Puts it into its canonical form, in the document of the spec. 0 or -ENOMEM. */
int carbon_spec_fill(const JobSpec *s);

/* When a job that was submitted at @submitted_at starts at the latest. */
usec_t carbon_spec_not_after(const JobSpec *s, usec_t submitted_at) _pure_;
