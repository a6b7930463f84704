/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Handler of /audit/logs: who has done what, from the journal. */

#include "api/http/request.h"
#include "api/openapi/schema.h"

int v1_list_audit(Request *r);
extern const QueryField v1_audit_query[];
extern const Reply v1_audit_replies[];
