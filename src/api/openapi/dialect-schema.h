/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "dialect/dialect-job.h"

/* What a client may send by @map, as a JSON Schema in OpenAPI 3.0's form. New reference; NULL when out of
 * memory. Combinations of fields are not in it. */
json_t *dialect_job_schema(const FieldMap *map);
