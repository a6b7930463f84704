/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Routes are data. A dialect is a table of routes, a way to word errors, and the name of the sockets it is
 * served on; one dispatcher (http-server.c) does the rest for all of them: matching, path parameters, query
 * parameters, HEAD, OPTIONS, 404, 405 with Allow, 413, errors. The API's own documentation is made from the
 * same tables (openapi.h). */

#include <jansson.h>

#include "api/http/query.h"
#include "api/http/uri.h"
#include "api/openapi/schema.h"
#include "basic/macro.h"
#include "shared/api-key.h"
#include "json/json-table.h"

typedef struct Request Request;

/* HEAD is served by GET routes and OPTIONS by the dispatcher: neither stands in a table. */
typedef enum HttpMethod {
        HTTP_GET,
        HTTP_POST,
        HTTP_PUT,
        HTTP_PATCH,
        HTTP_DELETE,
        _HTTP_METHOD_MAX,
        _HTTP_METHOD_INVALID = -EINVAL,
} HttpMethod;

/* "GET", …; methods are case-sensitive (RFC 9110, 9.1). */
const char *http_method_to_string(HttpMethod m) _pure_;
HttpMethod http_method_from_string(const char *s) _pure_;

/* Answers, or starts what will answer: returns 0 once request_reply_…() or manager_call() has been called.
 * A negative errno is answered by the error table (shared/error-table.h), unless the function it came from
 * has set a better answer already, as all of request.h do for a client's mistake: handlers just pass on what
 * they get. */
typedef int (*request_handler)(Request *r);

/* What a stream sends: the name of an event, and what its data are. */
typedef struct ReplyEvent {
        const char *name; /* NULL ends a table */
        const Schema *data;
} ReplyEvent;

/* An answer other than an error, for the API's own documentation. */
typedef struct Reply {
        unsigned status; /* 0 ends a table */
        SchemaField value; /* its description says what the answer means */
        const char *content_type; /* NULL: JSON */
        const ReplyEvent *events; /* of a stream */
        bool is_empty; /* has no body */
} Reply;

/* clang-format off */
/* A table of them in place, and the most common entry: @what is a Schema. */
#define REPLIES(...) (const Reply[]) { __VA_ARGS__, {} }
#define REPLY_OBJECT(s, text, what) \
        { .status = (s), .value = { .type = SCHEMA_OBJECT, .description = (text), .schema = &(what) } }
/* clang-format on */

/* Takes the body of a request in pieces, as they come, instead of having it in memory: called for each piece
 * until one is answered or fails; @handler follows when the body is complete. It may start calls of the bus
 * (manager_call()): the next piece comes when they have returned. The rest is like a request_handler. */
typedef int (*request_body_reader)(Request *r, const char *data, size_t size);

#define REQUEST_BODY_MAX ((size_t) 10 * 1024 * 1024)

typedef struct Route {
        HttpMethod method;
        const char *path; /* "/jobs/{id}": a parameter is a whole segment; literal segments win over
                             parameters */
        Scope scope; /* what the client's key or role must allow (access.h) */
        request_handler handler; /* NULL ends a table */
        size_t max_body; /* bytes; 0: REQUEST_BODY_MAX (GET and DELETE may carry one, it is not looked at) */
        request_body_reader read_body; /* NULL: the body is kept for the handler, in memory */
        bool from_database; /* a 200 says nothing but what the path and the database say: it is kept until
                             * the database changes (reply-cache.h). Not with query parameters. */
        const QueryField *query; /* NULL: query parameters are ignored */
        bool at_root; /* with Dialect.also: the other dialect does not have precedence without the prefix */
        bool token_in_query; /* a client that has no header may send its token, or a ticket (ticket.h), in
                              * the query. Of "limited" dialects only. */
        bool for_browsers; /* a page, which a browser asks for without a key: on this machine a user's role
                            * is enough, also where a key is required */
        const char *summary; /* one sentence for the API's own documentation */
        const Schema *body; /* likewise: what the request's body must be; NULL: nothing is read */
        const Reply *replies; /* likewise: what comes back, errors apart */
} Route;

/* Where a client has to come with an API key. Elsewhere the role of its user is enough. */
typedef enum KeyRule {
        KEYS_REMOTE, /* on addresses that other machines can reach */
        KEYS_ONCE_MADE, /* on the loopback interface, too, once there are keys */
        KEYS_ALWAYS, /* on each address */
} KeyRule;

typedef struct Dialect Dialect;
struct Dialect {
        const char *name; /* "hypersdk": also what a job's row says it came through */
        const char *fd_name; /* FileDescriptorName= of its sockets; the unit is "<fd_name>.socket" */
        const Route *routes;
        /* Another dialect that is served, too; NULL: none. Both have their routes without a prefix and below
         * @base. Where both have a path and method, it is this dialect's below @base, else the other's. */
        const Dialect *also;
        const char *base; /* "/api/v1"; NULL without @also */
        bool tls; /* HTTP over TLS */
        bool limited; /* each request is counted, before it is looked at: for its user or key, or, if it has
                       * no valid one, for its address; see access_take_identity() */
        const char *title, *description; /* for the API's own documentation; may be NULL */
        const Schema *error_schema; /* what error() makes, likewise */
        KeyRule keys;
        const char *challenge; /* of WWW-Authenticate (RFC 9110, 11.6.1); NULL: the one of API keys */
        /* An error in the dialect's own form. New reference, or NULL when out of memory. @message is UTF-8
         * and for people. request_path() may be asked for. */
        json_t *(*error)(Request *r, unsigned status, const char *message);
};

/* The routes below Dialect.base, if there is one, one after the other: its own, and those of Dialect.also
 * that are served there; @route NULL begins. NULL at the end. */
const Route *dialect_next_route(const Dialect *d, const Route *route);

/* A route table made ready for matching. It keeps a pointer to the dialect, which must outlive it.
 * -EINVAL for a table that contradicts itself (two routes for one method and path, two names for the
 * parameter of one place): a programmer's mistake, found at start and by a test. */
typedef struct Router Router;
int router_new(const Dialect *dialect, Router **ret);
Router *router_free(Router *r);
DEFINE_CLEANUP_FUNC(Router *, router_free);

#define ROUTER_SEGMENTS_MAX 16
#define ROUTER_PARAMS_MAX 4

typedef struct RouteMatch {
        const Route *routes[_HTTP_METHOD_MAX]; /* what is there for this path, by method; all NULL:
                                                * nothing */
        const char *param_names[ROUTER_PARAMS_MAX];
        const char *param_values[ROUTER_PARAMS_MAX]; /* borrowed from the segments */
        size_t n_params;
} RouteMatch;

/* Finds the routes for a path given as its decoded segments. 0, or -ENOENT if no route has such a path. */
int router_match(const Router *r, const char *const *segments, size_t n, RouteMatch *ret);

/* "GET, HEAD, OPTIONS": the Allow header for a path (RFC 9110, 10.2.1). */
#define ALLOW_SIZE 64
char *route_match_allow(const RouteMatch *m, char buf[static ALLOW_SIZE]);
