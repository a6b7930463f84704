/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/link.h"
#include "agent/agent-util.h"
#include "agent/answer.h"
#include "agent/report.h"
#include "agent/server.h"
#include "basic/log.h"
#include "basic/string-util.h"

#define PAUSE_MIN USEC_PER_SEC
#define PAUSE_MAX (40 * USEC_PER_SEC)

static int on_link_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        link_try(userdata);
        return 0;
}

static void set_timer(Agent *a, usec_t span) {
        int r;

        a->link_timer = sd_event_source_disable_unref(a->link_timer);
        r = sd_event_add_time_relative(
                        a->event, &a->link_timer, CLOCK_MONOTONIC, span, USEC_PER_MSEC, on_link_timer, a);
        if (r < 0)
                agent_fail(a, r, "Failed to set a timer");
}

/* --- down ------------------------------------------------------------------------------------------ */

static usec_t pause_after(const Agent *a, const HttpResult *result) {
        unsigned shift = MIN(a->link_failures, 6u);

        /* A key that is wrong now is wrong in a second. */
        if (result->status == 401 || result->status == 403)
                return agent_jitter(PAUSE_MAX);
        if (result->retry_after > 0)
                return result->retry_after + agent_jitter(PAUSE_MIN);
        return agent_jitter(MIN(PAUSE_MIN << shift, PAUSE_MAX));
}

static char *describe(const HttpResult *result) {
        _cleanup_free_ char *message = answer_message(result->response, result->response_size);
        const char *remedy = result->status == 401
                        ? "; give a key that the server knows (server.api_key_file)"
                        : result->status == 403 ? "; the key must have the scope work"
                                                : "";

        return message ? strprintf("%s: %s%s", strempty(result->error), message, remedy)
                       : strprintf("%s%s", strempty(result->error), remedy);
}

/* Each cause once, not each try. */
static void tell(Agent *a, char *error, usec_t pause) {
        char span[TIMESPAN_SIZE];

        if (!streq_ptr(error, a->link_error))
                log_warning("%s %s: %s. Trying again, the next time in %s; jobs that are begun go on.",
                                a->was_up ? "Lost the connection to" : "Failed to connect to",
                                a->settings->server.url, strempty(error), format_timespan(span, pause));
        else
                log_debug("Still no connection to %s: %s.", a->settings->server.url, strempty(error));
        free(a->link_error);
        a->link_error = error;
        a->was_up = false;
}

void link_failed(Agent *a, const HttpResult *result) {
        usec_t pause = pause_after(a, result);

        if (a->link == LINK_WAITING)
                return;
        a->link = LINK_WAITING;
        a->link_failures++;
        /* What is out may hang on a connection that is dead. */
        server_abort(&a->link_ask);
        a->hooks->link_down(a);
        tell(a, describe(result), pause);
        set_timer(a, pause);
        agent_status(a);
}

/* An answer that is no answer. */
static void link_failed_with(Agent *a, const char *why) {
        _cleanup_free_ char *error = strprintf("the response is malformed: %s", strna(why));

        link_failed(a, &(HttpResult){ .error = strempty(error), .response = "" });
}

/* The server does not know us any more. */
static void link_unknown(Agent *a) {
        log_info("%s does not know worker %s any more; registering again.", a->settings->server.url,
                        a->settings->worker.id);
        a->registered = false;
        a->link = LINK_TRYING;
        a->hooks->unregistered(a);
        server_abort(&a->link_ask);
        /* Not at once: a server that forgets us each time would keep us busy. */
        set_timer(a, agent_jitter(PAUSE_MIN));
}

void link_ask_failed(Agent *a, const HttpResult *result, const char *path) {
        if (result->status == 404 && answer_is_error_for(result->response, result->response_size, 404, path))
                link_unknown(a);
        else
                link_failed(a, result);
}

/* --- up -------------------------------------------------------------------------------------------- */

static void link_is_up(Agent *a) {
        if (a->link != LINK_UP)
                log_info("Connected to %s as worker %s.", a->settings->server.url, a->settings->worker.id);
        a->link = LINK_UP;
        a->was_up = true;
        a->link_failures = 0;
        a->link_error = mfree(a->link_error);
        set_timer(a, agent_jitter(a->settings->worker.heartbeat));
        a->hooks->link_up(a);
        agent_status(a);
}

static void on_heartbeat(Agent *a, Ask *ask, const HttpResult *result) {
        _cleanup_(heartbeat_answer_done) HeartbeatAnswer answer = {};
        _cleanup_free_ char *why = NULL;
        int r;

        if (!result->success) {
                link_ask_failed(a, result, "/workers");
                return;
        }
        r = answer_heartbeat(result->response, result->response_size, &answer, &why);
        if (r == -ENOMEM)
                agent_fail(a, r, "Failed to read a heartbeat's answer");
        else if (r < 0)
                link_failed_with(a, why);
        else {
                a->hooks->heartbeat(a, &answer);
                link_is_up(a);
        }
}

static void send_heartbeat(Agent *a) {
        _cleanup_free_ char *path = strprintf("/workers/%s/heartbeat", a->settings->worker.id);

        a->heartbeat_sent_at = now_monotonic();
        if (path)
                server_ask(a, &a->link_ask, "POST", path, json_object(), SERVER_TIMEOUT, on_heartbeat);
        else
                agent_fail(a, -ENOMEM, "Failed to send a heartbeat");
}

static void on_registered(Agent *a, Ask *ask, const HttpResult *result) {
        if (!result->success) {
                link_failed(a, result);
                return;
        }
        a->registered = true;
        send_heartbeat(a);
}

void link_try(Agent *a) {
        if (a->link_ask.out)
                return;
        a->link_timer = sd_event_source_disable_unref(a->link_timer);
        if (a->link != LINK_UP || !a->registered)
                a->link = LINK_TRYING;
        if (a->registered)
                send_heartbeat(a);
        else
                server_ask(a, &a->link_ask, "POST", "/workers/register", hello_json(a->settings),
                                SERVER_TIMEOUT, on_registered);
}
