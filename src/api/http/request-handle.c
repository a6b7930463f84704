/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A request from its first line to the return of its handler. */

#include "api/http/request-handle.h"
#include "api/access/access-check.h"
#include "api/api-state.h"
#include "api/http/cors.h"
#include "api/http/http-server-state.h"
#include "api/http/origin.h"
#include "api/http/reply.h"
#include "api/http/request-park.h"
#include "api/http/request-state.h"
#include "basic/log.h"
#include "basic/string-util.h"

Request *request_new(HttpServer *s, struct MHD_Connection *connection, const char *target) {
        size_t n = strlen(target) + 1;
        Request *r;

        r = calloc(1, sizeof(*r) + n);
        if (!r)
                return NULL;
        r->n_ref = 1;
        r->server = s;
        r->connection = connection;
        r->method = _HTTP_METHOD_INVALID;
        r->started = now_monotonic();
        memcpy(r->target, target, n);
        return r;
}

void request_over(Request *r) {
        r->connection = NULL;
        request_unpark(r);
        if (r->response)
                MHD_destroy_response(r->response);
        r->response = NULL;
}

/* --- reading what was asked ------------------------------------------------------------------------ */

/* See origin.h: which web pages may use a listener that asks nobody for a password. */
static int request_check_origin(Request *r) {
        const char *host = r->host ? r->host : request_header(r, "Host"), *origin;

        if (!http_server_is_inet(r->server))
                return 0;

        /* RFC 9112, 3.2: HTTP/1.1 has a Host (libmicrohttpd sees to that); HTTP/1.0 need not. What other
         * machines reach has whatever name they know it by; there a page cannot do anything, for it has no
         * key. */
        if (host && http_server_is_local(r->server) && !host_is_local(host, api_hostname(request_api(r)))) {
                request_reply_error(r, MHD_HTTP_MISDIRECTED_REQUEST,
                                "The Host of this request is not a name of this machine: only localhost, "
                                "IP addresses and the machine's host name are answered here.");
                return -EACCES;
        }

        if (r->is_options || r->method == HTTP_GET)
                return 0;
        origin = request_header(r, "Origin");
        if (origin && !origin_is_same(origin, strempty(host)) &&
                        !api_allows_origin(request_api(r), origin)) {
                request_reply_error(r, MHD_HTTP_FORBIDDEN,
                                "This request comes from a web page of another origin (its Origin header is "
                                "not the one of this server), and such a page may not change anything "
                                "here.");
                return -EACCES;
        }
        return 0;
}

/* Replaces what is not UTF-8 or not printable: this text goes into answers and log lines. */
static char *printable(const char *s) {
        char *copy = strdup(s);

        if (!copy)
                return NULL;
        bool valid = utf8_is_valid(copy);
        for (char *p = copy; *p; p++) {
                unsigned char c = (unsigned char) *p;

                if (c < 0x20 || c == 0x7f || (c >= 0x80 && !valid))
                        *p = '?';
        }
        return copy;
}

static int request_bad_target(Request *r, int error) {
        switch (error) {
        case -ENOENT:
                request_reply_error(r, MHD_HTTP_NOT_FOUND, "There is nothing at this path.");
                break;
        case -E2BIG:
                request_reply_error(r, MHD_HTTP_BAD_REQUEST,
                                "The request's address has too many parts: at most %d path segments and %d "
                                "query parameters are read.",
                                ROUTER_SEGMENTS_MAX, REQUEST_QUERY_MAX);
                break;
        case -ENOMEM:
                break;
        default:
                request_reply_error(r, MHD_HTTP_BAD_REQUEST,
                                "The request's address is malformed: each %% must be followed by two hex "
                                "digits, and the result must be UTF-8 without control characters.");
        }
        return error;
}

static int request_read_query(Request *r, char *query) {
        QueryPair pairs[REQUEST_QUERY_MAX];
        size_t n;
        int k;

        k = uri_split_query(query, pairs, ELEMENTSOF(pairs), &n);
        if (k < 0 || n == 0)
                return k;

        r->query = malloc(n * sizeof(pairs[0]));
        if (!r->query)
                return -ENOMEM;
        memcpy(r->query, pairs, n * sizeof(pairs[0]));
        r->n_query = n;
        return 0;
}

static int request_read_target(Request *r) {
        const char *segments[ROUTER_SEGMENTS_MAX];
        char *path, *query;
        size_t n;
        int k;

        k = uri_split_target(r->target, &r->host, &path, &query);
        if (k < 0) {
                /* "OPTIONS *" is about the server as a whole (RFC 9110, 9.3.7). */
                if (r->is_options && streq(r->target, "*"))
                        return request_reply_empty(r, MHD_HTTP_NO_CONTENT);
                return request_bad_target(r, k);
        }

        r->path_text = printable(path);
        if (!r->path_text)
                return -ENOMEM;

        k = request_check_origin(r);
        if (k < 0)
                return k;

        k = uri_split_path(path, segments, ELEMENTSOF(segments), &n);
        if (k >= 0 && query)
                k = request_read_query(r, query);
        if (k >= 0)
                k = router_match(http_server_router(r->server), segments, n, &r->match);
        if (k < 0)
                return request_bad_target(r, k);
        return 0;
}

int request_begin(Request *r, const char *method) {
        char allow[ALLOW_SIZE];
        int k;

        r->is_head = streq(method, "HEAD");
        r->is_options = streq(method, "OPTIONS");
        r->method = r->is_head ? HTTP_GET : http_method_from_string(method);

        k = request_add_cors(r);
        if (k >= 0)
                k = request_check_limit(r);
        if (k < 0)
                return k;
        k = request_read_target(r);
        if (k < 0 || r->answered)
                return k;

        if (r->method >= 0)
                r->route = r->match.routes[r->method];
        if (r->route)
                return request_check_access(r);

        k = request_add_header(r, "Allow", route_match_allow(&r->match, allow));
        if (k >= 0 && r->is_options)
                k = request_add_preflight(r, allow);
        if (k < 0)
                return k;
        if (r->is_options)
                return request_reply_empty(r, MHD_HTTP_NO_CONTENT);
        request_reply_error(r, MHD_HTTP_METHOD_NOT_ALLOWED,
                        "This path does not take the method of this request; it takes %s.", allow);
        return -EOPNOTSUPP;
}

int request_append_body(Request *r, const char *data, size_t size, size_t max) {
        Api *a = http_server_api(r->server);
        size_t need;

        if (size > max || r->body_size > max - size)
                return -EFBIG;

        need = r->body_size + size + 1;
        if (need > r->body_allocated) {
                size_t n = MAX(need, MIN(r->body_allocated * 2, max + 1));
                char *p;

                if (!api_take_body(a, n - r->body_allocated))
                        return -ENOBUFS;
                p = realloc(r->body, n);
                if (!p) {
                        api_give_body(a, n - r->body_allocated);
                        return -ENOMEM;
                }
                r->body = p;
                r->body_allocated = n;
        }

        memcpy(r->body + r->body_size, data, size);
        r->body_size += size;
        r->body[r->body_size] = '\0';
        return 0;
}

/* --- the handler ----------------------------------------------------------------------------------- */

/* After the calls of a body reader: on with the body. */
static void request_read_on(Request *r) {
        if (!r->suspended)
                return;
        r->suspended = false;
        http_server_resume(r->server, r->connection);
}

void request_handler_returned(Request *r, int result) {
        if (r->answered || !r->connection)
                return;

        if (result >= 0 && r->stage == REQUEST_BODY) {
                if (r->n_calls == 0)
                        request_read_on(r);
        } else if (result < 0) {
                log_debug_errno(result, "%s: answering an error: %m", request_path(r));
                request_reply_errno(r, result, NULL);
        } else if (r->n_calls == 0 && !r->park) {
                log_error("The handler of %s did not answer: this is a bug in hyper-apid.",
                                r->route ? r->route->path : request_path(r));
                request_reply_errno(r, EIO, NULL);
        }
}

void request_body_piece(Request *r, const char *data, size_t size) {
        const char *refusal = api_refusal(request_api(r));

        if (refusal)
                (void) request_reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "%s", refusal);
        else
                request_handler_returned(r, r->route->read_body(r, data, size));
}

void request_handle(Request *r) {
        r->stage = REQUEST_HANDLED;
        const char *refusal = api_refusal(request_api(r));
        int k;

        if (refusal) {
                (void) request_reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "%s", refusal);
                return;
        }
        k = request_reply_kept(r);
        request_handler_returned(r, k != 0 ? k : r->route->handler(r));
}
