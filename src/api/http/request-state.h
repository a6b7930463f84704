/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The request as the server's own files see it; handlers include request.h. This includes nothing of the
 * server, so that all of its files may include it. */

#include <microhttpd.h>
#include <sys/queue.h>

#include "api/http/router.h"
#include "api/http/uri.h"
#include "basic/time-util.h"
#include "shared/api-key.h"
#include "shared/role.h"
#include "store/sessions.h"

#define REQUEST_QUERY_MAX 64

typedef struct HttpServer HttpServer;
typedef struct RequestPark RequestPark;

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

/* What a request without an end has become: an event stream or a WebSocket. */
typedef struct RequestStreamOps {
        void (*over)(void *stream); /* the connection is gone */
        void (*refuse)(void *stream, const char *why); /* the client may not have it any longer */
} RequestStreamOps;

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
        char key_name[API_KEY_NAME_MAX + 1];
        usec_t key_expires_at; /* realtime; 0: never */
        SessionRow *session; /* the one that lets it in; NULL: none does */
        uint32_t scopes; /* what the key or the session allows */
        const char *refused; /* why what came as a key or a token is none; NULL: nothing came, or it is */
        bool has_uid; /* of a local client: it is known who made the connection */
        uid_t uid;
        bool by_user; /* that lets it in */
        bool unknown; /* who it is cannot be found out at present */
        Role role; /* what it was let in as */

        const char *host; /* from an absolute target, else NULL */
        char *path_text; /* the path as it came, for messages */
        QueryPair *query;
        size_t n_query;

        char *body;
        size_t body_size, body_allocated;

        const char *error_name; /* what the bus calls the error that is answered; NULL: nothing */
        bool answered;
        struct MHD_Response *response; /* until libmicrohttpd has it */
        unsigned status;
        RequestHeader *headers;
        bool is_stream; /* it has no end of its own: event stream or WebSocket */
        void *stream; /* or NULL */
        const RequestStreamOps *stream_ops;
        unsigned n_calls; /* out on the bus, or waiting to be sent */
        RequestPark *park; /* it waits, and no call is out for it */
        bool waited; /* it has: how long it took says nothing */

        void *userdata;
        void (*userdata_done)(void *userdata);

        char target[]; /* cut up in place by uri.c */
};
