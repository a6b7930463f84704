/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /jobs/{id}/logs of v1: what is told of a job, as text, as a stream of events, or as a page of JSON. */

#include "api/http/router.h"

int v1_get_logs(Request *r);

extern const QueryField v1_logs_query[];
extern const Reply v1_logs_replies[];
