/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The deliveries that the manager handed out, in queues: one for each webhook, and for each test of one.
 * Within a queue one delivery is tried at a time, in order; queues do not wait for each other. No I/O in
 * here.
 *
 * A queue exists from its first delivery until the last result is recorded. Until then the manager is asked
 * for no more deliveries of it, since only what is recorded is known to have been tried. */

#include <sys/queue.h>
#include <uthash.h>

#include "basic/macro.h"

typedef struct Delivery {
        int64_t queue, seq;
        char *id, *event, *url, *credential, *body;
        unsigned timeout; /* seconds */
        TAILQ_ENTRY(Delivery) entries;
} Delivery;

Delivery *delivery_free(Delivery *d);
DEFINE_CLEANUP_FUNC(Delivery *, delivery_free);
/* A copy of all of it; @credential is "" where there is none. */
int delivery_new(int64_t queue, int64_t seq, const char *id, const char *event, const char *url,
                unsigned timeout, const char *credential, const char *body, Delivery **ret);

typedef struct DeliveryQueues DeliveryQueues;

int delivery_queues_new(DeliveryQueues **ret);
DeliveryQueues *delivery_queues_free(DeliveryQueues *l);
DEFINE_CLEANUP_FUNC(DeliveryQueues *, delivery_queues_free);

/* Takes @d, to the end of its queue. 0 or -ENOMEM, then @d is still the caller's. */
int delivery_queues_add(DeliveryQueues *l, Delivery *d);

/* One that may be tried now, or NULL: the first of a queue in which nothing is being tried. It is being
 * tried from then on, and still belongs to the queue. */
const Delivery *delivery_queues_next(DeliveryQueues *l);

/* It was tried. After a success the one behind it is next; after a failure the manager says when to try
 * again, and what is behind it is forgotten here. @d is gone. */
void delivery_queues_tried(DeliveryQueues *l, const Delivery *d, bool success);
/* It was not tried after all: it is the manager's again. @d is gone. */
void delivery_queues_give_back(DeliveryQueues *l, const Delivery *d);
/* The result of @n attempts in @queue is recorded. */
void delivery_queues_recorded(DeliveryQueues *l, int64_t queue, unsigned n);

/* Forgets what nobody has begun to try. */
void delivery_queues_drop_waiting(DeliveryQueues *l);

/* The queues that are there. The caller frees *ret. */
int delivery_queues_list(const DeliveryQueues *l, int64_t **ret, size_t *ret_n);
size_t delivery_queues_count(const DeliveryQueues *l) _pure_;
/* How many are being tried. */
size_t delivery_queues_active(const DeliveryQueues *l) _pure_;
