/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The body of POST /auth/login. Pure. */

#include "json/json-table.h"

/* A body is at most so long. */
#define V1_AUTH_BODY_MAX ((size_t) 8 * 1024)

typedef struct V1Login {
        char *username, *password;
} V1Login;

/* Wipes the password. */
void v1_login_done(V1Login *l);

/* {"username", "password"}; other fields are ignored. The password in @object is overwritten. 0, -EBADMSG
 * with all that is wrong in @errors, -ENOMEM. */
int v1_login_decode(json_t *object, V1Login *ret, JsonErrors *errors);
