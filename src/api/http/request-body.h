/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Decodes what came with a request: its query and its body. Both answer a client's mistake themselves. */

#include <jansson.h>

#include "api/http/request.h"

/* Decodes the query parameters by the route's table into @base, which holds the defaults: what is not given
 * stays. All that is wrong is told in one 400. 0 or -EINVAL. */
int request_query_decode(Request *r, void *base);

/* The body as JSON, any value or an object only: at most the route's max_body, UTF-8, limited depth, no
 * duplicate keys; whatever the Content-Type says, unless it is one of YAML's: then it is read as YAML. New
 * reference in *ret. An empty body is an error too: look at request_body() first where it may be left out.
 * 0 or -EBADMSG. */
/* Overwrites the body, which is empty then: it had a secret. */
void request_wipe_body(Request *r);
int request_json(Request *r, json_t **ret);
int request_json_object(Request *r, json_t **ret);
