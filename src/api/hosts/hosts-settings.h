/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Settings that the web client keeps here. */

#include "api/http/request.h"

int hosts_get_metrics_settings(Request *r);
int hosts_put_metrics_settings(Request *r);
