/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* GET /providers. */

#include "api/http/router.h"

int v1_list_providers(Request *r);

extern const QueryField v1_providers_query[];
extern const Reply v1_providers_replies[];
