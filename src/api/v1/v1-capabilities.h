/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* GET /providers/capabilities: what can be done with each kind of provider here. */

#include "api/http/router.h"

int v1_get_capabilities(Request *r);

extern const QueryField v1_capabilities_query[];
extern const Reply v1_capabilities_replies[];
