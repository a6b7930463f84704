/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* GET /readiness. */

#include "api/http/query.h"
#include "api/http/router.h"

int v1_get_readiness(Request *r);
extern const QueryField v1_readiness_query[];
extern const Reply v1_readiness_replies[];
