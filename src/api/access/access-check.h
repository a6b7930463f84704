/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Decides on a request by the model of access.h. */

#include <stdbool.h>

typedef struct Request Request;

/* Where the dialect is "limited": finds out who asks, and counts the request. 0, or a negative errno with the
 * error answer set. */
int request_check_limit(Request *r);

/* The token in the header Authorization, or NULL. */
const char *request_bearer_token(Request *r);

/* The key or token in the headers, as it came; "" if there is none. */
const char *request_credential(Request *r);

/* The header of an answer 401; @invalid_token: the request came with a key or a token. */
int request_add_challenge(Request *r, bool invalid_token);

/* Whether the client may ask for this route, and now. 0, or a negative errno with the error answer set. */
int request_check_access(Request *r);

/* Whether that is still so, for a request that waits or streams: the key that it came with was not removed
 * and has not expired, or the user still has the role. False too where that cannot be known. */
bool request_is_still_allowed(Request *r);
