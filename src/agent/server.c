/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/server.h"
#include "agent/agent-util.h"
#include "agent/answer.h"
#include "basic/string-util.h"

static bool is_error_for_job(const HttpResult *result, const char *job_id) {
        _cleanup_free_ char *path = strprintf("/jobs/%s", job_id);

        /* Out of memory: the request is repeated later. */
        return path && answer_is_error_for(result->response, result->response_size, result->status, path);
}

Verdict verdict_of(const HttpResult *result, const char *job_id) {
        if (result->success)
                return VERDICT_DONE;
        switch (result->status) {
        case 404:
        case 409:
                return is_error_for_job(result, job_id) ? VERDICT_NOT_OURS : VERDICT_UNAVAILABLE;
        case 400:
        case 413:
                return VERDICT_REFUSED;
        default:
                return VERDICT_UNAVAILABLE;
        }
}

void server_ask(Agent *a, Ask *ask, const char *method, const char *path, json_t *body, usec_t timeout,
                answer_func func) {
        _cleanup_free_ char *url = strprintf("%s%s", a->settings->server.url, path), *text = NULL;
        char *key[] = { (char *) "X-API-Key", a->settings->api_key, NULL };
        bool needs_body = streq(method, "POST");
        int r = url ? 0 : -ENOMEM;

        if (needs_body) {
                text = body ? json_dumps(body, JSON_COMPACT) : NULL;
                r = text ? r : -ENOMEM;
        }
        json_decref(body);
        if (r >= 0) {
                const HttpRequest request = {
                        .method = method,
                        .url = url,
                        .body = text,
                        .headers = a->settings->api_key ? key : NULL,
                        .timeout = timeout,
                };
                ask->agent = a;
                ask->func = func;
                r = http_client_send(a->http, &request, ask);
        }
        if (r < 0)
                agent_fail(a, r, "Failed to send a request");
        else
                ask->out = true;
}

void server_abort(Ask *ask) {
        if (ask->out)
                http_client_abort(ask->agent->http, ask);
        ask->out = false;
}
