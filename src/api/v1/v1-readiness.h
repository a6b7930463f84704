/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* GET /readiness. */

#include "api/http/router.h"

int v1_get_readiness(Request *r);
extern const Reply v1_readiness_replies[];
