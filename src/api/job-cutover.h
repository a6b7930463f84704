/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* POST /jobs/{id}/cutover, the same in each dialect: {} begins the cutover of a warm job now, {"at": time}
 * later, {"cancel": true} takes that back. */

#include "api/http/request.h"
#include "api/openapi/schema.h"

int job_cutover(Request *r);

extern const Schema job_cutover_schema; /* the body */
extern const Schema job_cutover_reply_schema;
