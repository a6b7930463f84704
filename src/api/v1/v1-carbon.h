/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The carbon intensity of the grid, for which hyper-carbond is asked; the end of a job's wait for it. */

#include "api/http/request.h"
#include "api/openapi/schema.h"
#include "spec/carbon-data.h"

/* Keeps the intensity of now for /metrics. */
void v1_carbon_note(Request *r, const CarbonData *d);

int v1_carbon_intensity(Request *r);
int v1_carbon_schedule(Request *r);
int v1_carbon_status(Request *r);
int v1_carbon_estimate(Request *r);
int v1_carbon_report(Request *r);
int v1_carbon_zones(Request *r);
int v1_release_job(Request *r);

extern const QueryField v1_carbon_intensity_parameters[], v1_carbon_schedule_parameters[];
extern const Schema v1_carbon_status_body_schema, v1_carbon_estimate_body_schema,
                v1_carbon_report_body_schema, v1_released_schema;
