/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where to log in, and how: the source of a call, as JSON. Either a named source, {"name": …}, whose login
 * hyper-managerd knows, or {"vcenter_url", "username", "password", "ca", "thumbprint"}. Both may have a
 * "datacenter". */

#include "json/json-table.h"

typedef struct Login {
        char *name; /* NULL: the others are given */
        char *url, *username, *password, *datacenter, *ca, *thumbprint;
} Login;

/* Overwrites the password. */
void login_done(Login *l);

/* 0, -EBADMSG with all that is wrong in @errors, or -ENOMEM. */
int login_decode(const char *text, Login *ret, JsonErrors *errors);

/* True if both lead to the same session. */
bool login_equal(const Login *a, const Login *b) _pure_;
