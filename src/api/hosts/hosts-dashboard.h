/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The figures of all hosts together, and what has happened. */

#include "api/http/request.h"

int hosts_get_dashboard_stats(Request *r);
int hosts_get_dashboard_overview(Request *r);
int hosts_get_activity(Request *r);
extern const QueryField hosts_activity_query[];
