/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A priority queue: a binary heap of pointers, whose items know where they are in it, so that any of them
 * can be taken out in O(log n). An item is in one queue at a time. */

#include <sys/types.h>

#include "basic/macro.h"

typedef struct Prioq {
        bool (*before)(const void *a, const void *b); /* a comes before b */
        size_t index_offset; /* of a size_t in each item, that is the queue's */
        void **items;
        size_t n, allocated;
} Prioq;

void prioq_init(Prioq *q, bool (*before)(const void *a, const void *b), size_t index_offset);
/* Forgets the items. */
void prioq_done(Prioq *q);

/* Has room for @n items: after that putting them in cannot fail. 0 or -ENOMEM. */
int prioq_reserve(Prioq *q, size_t n);
/* There must be room. */
void prioq_put(Prioq *q, void *item);
/* @item must be in this queue. */
void prioq_remove(Prioq *q, void *item);
/* What an item is compared by has changed. */
void prioq_moved(Prioq *q, void *item);
/* The first, or NULL. */
void *prioq_first(const Prioq *q) _pure_;
