/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Cross-origin resource sharing (WHATWG Fetch, 3.2): lets pages of the origins in api.cors_origins read
 * answers. What pages may change is decided in request-handle.c; a page that may not is not told so here, it
 * just gets nothing. */

#include "api/http/cors.h"
#include "api/api-state.h"
#include "api/http/http-server-state.h"
#include "api/http/reply-header.h"
#include "api/http/request-state.h"

#define PREFLIGHT_HEADERS "Authorization, Content-Type, Last-Event-ID, X-API-Key"
#define EXPOSED_HEADERS "Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset"
#define PREFLIGHT_SECONDS "600"

/* The Origin of the request if it is one of the configured; else NULL. */
static const char *request_cors_origin(Request *r) {
        const char *origin =
                        http_server_is_inet(r->server) ? request_header(r, MHD_HTTP_HEADER_ORIGIN) : NULL;

        return origin && api_allows_origin(request_api(r), origin) ? origin : NULL;
}

int request_add_cors(Request *r) {
        const char *origin = request_cors_origin(r);
        int k;

        if (!origin)
                return 0;
        k = request_add_header(r, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if (k >= 0)
                k = request_add_header(r, MHD_HTTP_HEADER_ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
        return k < 0 ? k : request_add_header(r, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ORIGIN);
}

int request_add_preflight(Request *r, const char *methods) {
        const struct {
                const char *name, *value;
        } headers[] = {
                { MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_METHODS, methods },
                { MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_HEADERS, PREFLIGHT_HEADERS },
                { MHD_HTTP_HEADER_ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS },
        };

        if (!request_cors_origin(r) || !request_header(r, MHD_HTTP_HEADER_ACCESS_CONTROL_REQUEST_METHOD))
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(headers); i++) {
                int k = request_add_header(r, headers[i].name, headers[i].value);
                if (k < 0)
                        return k;
        }
        /* Browsers may ask this besides before a page from the internet reaches into a local network. */
        if (request_header(r, "Access-Control-Request-Private-Network"))
                return request_add_header(r, "Access-Control-Allow-Private-Network", "true");
        return 0;
}
