/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* POST /auth/login and /auth/refresh: hyper-auth is asked, and answers with a token. */

#include "api/http/router.h"

int v1_log_in(Request *r);
int v1_refresh(Request *r);

extern const Schema v1_token_schema, v1_login_schema;
