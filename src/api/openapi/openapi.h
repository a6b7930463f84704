/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An API's own description as OpenAPI 3.0.3 has it (https://spec.openapis.org/oas/v3.0.3), made from its
 * route table and what that points to: nothing is in it that is not served, and the other way around. */

#include "api/http/router.h"

/* New reference, or NULL when out of memory. Pure. */
json_t *openapi_document(const Dialect *dialect);

/* GET /openapi.json: the dialect's own. */
int openapi_get(Request *r);
extern const Reply openapi_replies[];
