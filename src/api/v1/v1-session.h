/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sessions that exist: who a token belongs to, the list, and their end. */

#include "api/http/router.h"

int v1_log_out(Request *r);
int v1_make_ticket(Request *r);
int v1_get_me(Request *r);
int v1_get_session(Request *r);
int v1_list_sessions(Request *r);
int v1_end_session(Request *r);

extern const QueryField v1_sessions_query[];
extern const Schema v1_ticket_schema, v1_me_schema, v1_session_schema, v1_sessions_schema, v1_message_schema;
