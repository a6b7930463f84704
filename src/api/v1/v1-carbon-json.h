/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The schemas of dialect/carbon-json.h. */

#include "api/openapi/schema.h"

extern const Schema v1_carbon_intensity_schema, v1_carbon_schedule_schema, v1_carbon_status_schema,
                v1_carbon_estimate_schema, v1_carbon_report_schema, v1_carbon_zones_schema;
