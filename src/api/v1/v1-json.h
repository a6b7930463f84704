/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <jansson.h>

#include "basic/time-util.h"

/* {"error", "status", "timestamp"}, and for several wrong fields "errors": the message has a text
 * "field: text" for each, with newlines or "; " between them. NULL when out of memory. */
json_t *v1_error_json(unsigned status, const char *message, usec_t now);
