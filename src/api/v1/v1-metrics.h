/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "api/http/request.h"

/* GET /metrics: what the HyperSDK API has, and figures of this one. */
int v1_get_metrics(Request *r);
