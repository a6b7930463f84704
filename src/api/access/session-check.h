/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tokens of sessions (store/sessions.h), in requests. */

#include "shared/role.h"
#include "store/sessions.h"

typedef struct Request Request;

/* The session of this token, which is valid now. -ENOENT: there is none; other errors: it cannot be known. */
int session_check_find(Request *r, const char *token, SessionRow **ret);

/* What the session may do: its own role, but not more than the user has by now. */
Role session_check_role(Request *r, const SessionRow *session);

/* Whether the session of @r, which has one, still exists and is valid, for a stream. */
bool session_check_again(Request *r);
