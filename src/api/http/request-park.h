/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Requests that wait for something for which no call is out. */

#include "api/http/request.h"

/* Has the request wait up to @until (monotonic) though no call is out for it, and be answered later. @over
 * is called when that time is over, when the client has gone away, or when the daemon ends: it answers.
 * Answering, and request_unpark() which does not, ends the waiting before. 0 or negative errno. */
int request_park(Request *r, usec_t until, void (*over)(Request *r));
void request_unpark(Request *r);
/* Looks at the socket of a request that waits: the client has closed it, or its half of it. */
bool request_client_is_gone(Request *r);
/* Nobody hears an answer any more. */
bool request_is_over(Request *r);

/* What it waits for in request_park() is over, if it waits. */
void request_park_over(Request *r);
