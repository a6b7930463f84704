/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* POST /inspect/source, POST /inspect/destination, GET /jobs/{id}/log: what the manager's methods of these
 * names return. */

#include "api/http/query.h"
#include "api/http/router.h"

int hypersdk_inspect_source(Request *r);
extern const Schema hypersdk_inspect_source_schema;
extern const Reply hypersdk_inspect_source_replies[];

int hypersdk_inspect_destination(Request *r);
extern const Schema hypersdk_inspect_destination_schema;
extern const Reply hypersdk_inspect_destination_replies[];

int hypersdk_get_log(Request *r);
extern const QueryField hypersdk_log_query[];
extern const Reply hypersdk_log_replies[];
