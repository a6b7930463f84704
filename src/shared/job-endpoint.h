/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "shared/job-spec.h"

/* Checks an endpoint that was decoded from @json by its type: what must be there, what must not, and that
 * paths and URIs are in order. What the decoder told already is not told again. 0 or -ENOMEM. */
int job_endpoint_check(const JobEndpoint *e, json_t *json, bool is_destination, JsonErrors *errors);
