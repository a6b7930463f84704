/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "api/http/http-server-state.h"

Api *http_server_api(HttpServer *s) {
        return s->api;
}

const Dialect *http_server_dialect(HttpServer *s) {
        return s->dialect;
}

const Router *http_server_router(HttpServer *s) {
        return s->router;
}

bool http_server_is_inet(HttpServer *s) {
        return s->is_inet;
}

bool http_server_is_local(HttpServer *s) {
        return s->is_local;
}

void http_server_wake(HttpServer *s) {
        (void) sd_event_source_set_enabled(s->again, SD_EVENT_ONESHOT);
}

void http_server_resume(HttpServer *s, struct MHD_Connection *connection) {
        MHD_resume_connection(connection);
        http_server_wake(s);
}
