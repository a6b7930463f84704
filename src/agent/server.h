/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Requests to the server. */

#include "agent/agent-state.h"

/* What an answer means. */
typedef enum Verdict {
        VERDICT_DONE, /* 2xx */
        VERDICT_NOT_OURS, /* 404, 409 in the server's own words: there is no such job, or it is not ours */
        VERDICT_REFUSED, /* 400, 413: what we sent */
        VERDICT_UNAVAILABLE, /* no answer, 401, 403, 429, 5xx and all else: later */
} Verdict;
Verdict verdict_of(const HttpResult *result, const char *job_id);

/* Sends a request; @ask->func is called once with its answer, unless it is aborted. @body is consumed; NULL:
 * none (or out of memory, where @method is POST). Failures end in agent_fail(). */
void server_ask(Agent *a, Ask *ask, const char *method, const char *path, json_t *body, usec_t timeout,
                answer_func func);
void server_abort(Ask *ask);
/* How long requests that are answered at once may take. */
#define SERVER_TIMEOUT (20 * USEC_PER_SEC)
