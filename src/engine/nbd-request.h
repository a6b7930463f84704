/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A request to an NBD server, and the endpoint that it belongs to. */

#include <sys/queue.h>

#include "engine/endpoint.h"
#include "engine/nbd-connect.h"

#define NBD_CONNECTIONS_MAX 32

typedef struct NbdEndpoint NbdEndpoint;

typedef struct NbdRequest {
        NbdEndpoint *owner;
        const char *verb; /* for the message: "reading" */
        uint64_t offset, length;
        EndpointDone done;
        EndpointExtentsDone extents_done;
        void *userdata;

        unsigned parts; /* on the wire */
        bool open; /* parts are being sent right now */
        bool waiting; /* on the todo or the lost list */
        int error;

        uint64_t zeroed; /* a zero that is written: how far it got */
        bool fallback; /* the server cannot zero, so write zeroes */

        bool is_read;
        uint64_t seen; /* bytes that a read's answers have held so far */
        Extent *extents; /* the answer */
        size_t n_extents;

        TAILQ_ENTRY(NbdRequest) all;
        TAILQ_ENTRY(NbdRequest) todo; /* waits for dispatch to send more, or to say why it was lost */
} NbdRequest;

struct NbdEndpoint {
        Endpoint endpoint;
        struct nbd_handle *connections[NBD_CONNECTIONS_MAX];
        size_t n_connections, next;
        size_t polled[ENDPOINT_FDS_MAX]; /* which connections wait() spoke of, in its order */
        bool can_extents, can_zero, can_flush, known_zero;
        size_t maximum; /* of the data in one command */
        char *zeroes; /* ZERO_WRITE of them, once needed */
        TAILQ_HEAD(, NbdRequest) all;
        TAILQ_HEAD(, NbdRequest) todo;
        TAILQ_HEAD(, NbdRequest) lost; /* their connection broke */
        int cause; /* why, negative errno; 0: not known, the server hung up */
        char *detail; /* and what libnbd said when it was the server's fault */
};

static inline NbdEndpoint *NBD(Endpoint *e) {
        return CONTAINER_OF(e, NbdEndpoint, endpoint);
}

/* A request, open: parts of it may be sent. @verb is for the message: "reading". NULL when out of memory. */
NbdRequest *nbd_request_new(Endpoint *e, const char *verb, uint64_t offset, uint64_t length, void *userdata);
NbdRequest *nbd_request_free(NbdRequest *q);

/* After a call that gives a cookie or -1: counts the part, or takes the error. A completion may have come
 * already, therefore the part is counted before the call. */
void nbd_part_sent(NbdRequest *q, struct nbd_handle *h, int64_t cookie);
/* A completion of libnbd's. Returning 1 retires the command. */
int nbd_on_part(void *userdata, int *error);
#define NBD_COMPLETION(f, q) ((nbd_completion_callback){ .callback = (f), .user_data = (q) })

/* Everything has been sent. An error so far is told through the completion like any other. 0. */
int nbd_request_close(NbdRequest *q);

/* The connection with the least to do, beginning behind the last one taken. */
struct nbd_handle *nbd_pick(NbdEndpoint *n);

/* The requests whose connection broke are told why, n->cause. (libnbd gives all of them one and the same
 * errno.) */
void nbd_settle_lost(NbdEndpoint *n);
