/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "api/dialect-metrics.h"

void hypersdk_write_metrics(Request *r, const MetricsFigures *figures, FILE *f);
/* GET /metrics */
int hypersdk_get_metrics(Request *r);
