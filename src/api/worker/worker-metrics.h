/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "api/http/request.h"

/* GET /metrics */
int worker_get_metrics(Request *r);
