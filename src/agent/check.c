/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/check.h"

#include <stdio.h>

#include "agent/answer.h"
#include "agent/report.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "http/http-client.h"
#include "shared/bus-util.h"

#define TIMEOUT (20 * USEC_PER_SEC)

static void on_answer(const HttpResult *result, void *request_userdata, void *userdata) {
        _cleanup_free_ char *message = answer_message(result->response, result->response_size);
        const AgentSettings *s = userdata;
        bool *ret_good = request_userdata;
        sd_event *event = NULL;

        *ret_good = result->success;
        if (result->success)
                printf("Server: %s answers%s.\n", s->server.url,
                                s->api_key ? ", and knows the API key" : "");
        else
                log_error("The server %s: %s%s%s", s->server.url, strempty(result->error),
                                message ? ": " : "", strempty(message));
        if (sd_event_default(&event) >= 0)
                (void) sd_event_exit(event, EXIT_SUCCESS);
        sd_event_unref(event);
}

/* The least that needs a key where one is needed. */
static int check_server(sd_event *event, const AgentSettings *s, bool *ret_good) {
        _cleanup_(http_client_freep) HttpClient *c = NULL;
        _cleanup_free_ char *url = strprintf("%s/queue", s->server.url);
        char *key[] = { (char *) "X-API-Key", s->api_key, NULL };
        const HttpClientOptions options = {
                .event = event,
                .done = on_answer,
                .userdata = (void *) s,
                .response_max = ANSWER_MAX,
                .response_whole = true,
                .ca_file = s->server.ca_file,
                .certificate_file = s->server.certificate_file,
                .key_file = s->server.key_file,
        };
        const HttpRequest request = {
                .method = "GET", .url = url, .headers = s->api_key ? key : NULL, .timeout = TIMEOUT
        };
        int r = url ? http_client_new(&options, &c) : -ENOMEM;

        if (r >= 0)
                r = http_client_send(c, &request, ret_good);
        if (r >= 0)
                r = sd_event_loop(event);
        return r;
}

static bool check_manager(sd_bus *bus) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *version = NULL;
        int r = sd_bus_get_property_string(bus, HYPER_BUS_NAME, HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE,
                        "Version", &error, &version);

        if (r >= 0)
                printf("Manager of this machine: hyper %s.\n", version);
        else
                log_error("The manager of this machine does not answer: %s", strna(error.message));
        return r >= 0;
}

int agent_check(sd_event *event, sd_bus *bus, const AgentSettings *settings) {
        _cleanup_json_ json_t *hello = hello_json(settings);
        _cleanup_free_ char *text = hello ? json_dumps(hello, JSON_INDENT(2)) : NULL;
        bool manager, server = false;
        int r;

        if (!text)
                return log_oom();
        printf("Would register: %s\n", text);
        manager = check_manager(bus);
        r = check_server(event, settings, &server);
        if (r < 0)
                return log_error_errno(r, "Failed to ask the server: %m");
        return manager && server ? EXIT_SUCCESS : EXIT_FAILURE;
}
