/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* GET /system/health. */

#include "api/http/request.h"

int v1_get_system_health(Request *r);
extern const Reply v1_system_health_replies[];

/* The same as an object: nothing is waited for. NULL when out of memory. */
json_t *v1_system_health_json(Api *a);
