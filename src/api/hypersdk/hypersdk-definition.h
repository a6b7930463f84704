/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The definition of a job as HyperSDK clients decode it. What a client sent is echoed, but typed clients
 * drop the whole answer when one field of one job has another type than theirs: a field that they declare
 * is left out if its value does not fit. Pure; new references, or NULL when out of memory. */

#include <jansson.h>

#include "store/jobs.h"
#include "store/store.h"

json_t *hypersdk_definition_json(const JobRow *row);

/* The same for the template of a schedule: @request is what its client sent (NULL: it came in another
 * dialect), @spec the canonical spec. Neither is taken over. */
json_t *hypersdk_template_json(const json_t *request, const json_t *spec);
