/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The request as the server's own files see it; handlers include request.h. */

#include <microhttpd.h>
#include <sys/queue.h>

#include "api/http/request.h"
#include "api/http/uri.h"

#define REQUEST_QUERY_MAX 64

typedef struct HttpServer HttpServer;
typedef struct RequestPark RequestPark;
typedef struct SseStream SseStream;
typedef struct WebSocket WebSocket;

typedef enum RequestStage {
        REQUEST_HEADERS, /* the first line is here */
        REQUEST_BODY, /* all headers are here, the body is coming */
        REQUEST_HANDLED, /* the handler has been called */
        REQUEST_SENDING, /* the answer was given to libmicrohttpd */
} RequestStage;

typedef struct RequestHeader {
        struct RequestHeader *next;
        char *value; /* behind the name, in one piece of memory */
        char name[];
} RequestHeader;

/* One reference is the connection's, until libmicrohttpd says that the request is over; one is held by each
 * call out on the bus, and one by a stream. */
struct Request {
        LIST_ENTRY(Request) requests;
        unsigned n_ref;
        HttpServer *server;
        struct MHD_Connection *connection; /* NULL: it is over, nobody hears an answer */
        RequestStage stage;
        usec_t started; /* monotonic */

        HttpMethod method; /* for HEAD: GET */
        bool is_head, is_options, is_http_1_0;
        bool suspended;
        bool close; /* the connection ends with this answer */
        RouteMatch match;
        const Route *route;

        ApiKeyId key; /* the one that lets it in; empty: none does */
        bool has_uid; /* of a local client: it is known who made the connection */
        uid_t uid;
        bool by_user; /* that lets it in */
        Role role; /* what it was let in as */

        const char *host; /* from an absolute target, else NULL */
        char *path_text; /* the path as it came, for messages */
        QueryPair *query;
        size_t n_query;

        char *body;
        size_t body_size, body_allocated;

        bool answered;
        struct MHD_Response *response; /* until libmicrohttpd has it */
        unsigned status;
        RequestHeader *headers;
        bool is_stream; /* it has no end of its own: event stream or WebSocket */
        SseStream *stream;
        WebSocket *websocket;
        unsigned n_calls; /* out on the bus, or waiting to be sent */
        RequestPark *park; /* it waits, and no call is out for it */
        bool waited; /* it has: how long it took says nothing */

        void *userdata;
        void (*userdata_done)(void *userdata);

        char target[]; /* cut up in place by uri.c */
};

Request *request_new(HttpServer *s, struct MHD_Connection *connection, const char *target);
Request *request_ref(Request *r);
Request *request_unref(Request *r);
DEFINE_CLEANUP_FUNC(Request *, request_unref);

/* Reads the target, finds the route. 0, or a negative errno with the error answer set. */
int request_begin(Request *r, const char *method);

/* Whether the client may ask for this route, and now (access.c). 0, or a negative errno with the error
 * answer set. */
int request_check_access(Request *r);

/* Whether that is still so, for a request that waits or streams: the key that it came with was not removed
 * and has not expired, or the user still has the role. False too where that cannot be known. */
bool request_is_still_allowed(Request *r);

/* Adds to the body: 0; -EFBIG over @max; -ENOBUFS if all requests together hold too much; -ENOMEM. */
int request_append_body(Request *r, const char *data, size_t size, size_t max);

/* Calls the handler and makes sure that an answer is set or under way. */
void request_handle(Request *r);
/* What a handler's or a callback's return value means, if it set no answer. */
void request_handler_returned(Request *r, int result);

/* The connection is done with it: nobody hears an answer any more. */
void request_over(Request *r);
