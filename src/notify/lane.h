/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who is next: the deliveries that the manager gave us, in lanes. A lane is a webhook (or a test). Within a
 * lane one is tried at a time, in order; lanes do not wait for each other. No I/O in here.
 *
 * A lane is there from its first delivery until the last result is recorded; for that long the manager is
 * asked for nothing more of it, since only what is recorded is known to have been tried. */

#include <sys/queue.h>
#include <uthash.h>

#include "basic/macro.h"

typedef struct Delivery {
        int64_t lane, seq;
        char *id, *event, *url, *credential, *body;
        unsigned timeout; /* seconds */
        TAILQ_ENTRY(Delivery) entries;
} Delivery;

Delivery *delivery_free(Delivery *d);
DEFINE_CLEANUP_FUNC(Delivery *, delivery_free);
/* A copy of all of it; @credential is "" where there is none. */
int delivery_new(int64_t lane, int64_t seq, const char *id, const char *event, const char *url,
                unsigned timeout, const char *credential, const char *body, Delivery **ret);

typedef struct Lanes Lanes;

int lanes_new(Lanes **ret);
Lanes *lanes_free(Lanes *l);
DEFINE_CLEANUP_FUNC(Lanes *, lanes_free);

/* Takes @d, to the end of its lane. 0 or -ENOMEM, then @d is still the caller's. */
int lanes_add(Lanes *l, Delivery *d);

/* One that may be tried now, or NULL: the first of a lane in which nothing is being tried. It is being tried
 * from then on, and still belongs to the lane. */
const Delivery *lanes_next(Lanes *l);

/* It was tried. After a success the one behind it is next; after a failure the manager says when to try
 * again, and what is behind it is forgotten here. @d is gone. */
void lanes_tried(Lanes *l, const Delivery *d, bool success);
/* It was not tried after all: it is the manager's again. @d is gone. */
void lanes_give_back(Lanes *l, const Delivery *d);
/* The result of @n attempts in @lane is recorded. */
void lanes_recorded(Lanes *l, int64_t lane, unsigned n);

/* Forgets what nobody has begun to try. */
void lanes_drop_waiting(Lanes *l);

/* The lanes that are there. The caller frees *ret. */
int lanes_list(const Lanes *l, int64_t **ret, size_t *ret_n);
size_t lanes_count(const Lanes *l) _pure_;
/* How many are being tried. */
size_t lanes_active(const Lanes *l) _pure_;
