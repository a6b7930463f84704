/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "notify/delivery-queue.h"

#include "basic/string-util.h"

typedef struct DeliveryQueue {
        int64_t id;
        TAILQ_HEAD(, Delivery) waiting;
        Delivery *active;
        unsigned unrecorded;
        UT_hash_handle hh;
} DeliveryQueue;

struct DeliveryQueues {
        DeliveryQueue *by_id;
};

Delivery *delivery_free(Delivery *d) {
        if (!d)
                return NULL;
        free(d->id);
        free(d->event);
        free(d->url);
        free(d->credential);
        free(d->body);
        return mfree(d);
}

int delivery_new(int64_t queue, int64_t seq, const char *id, const char *event, const char *url,
                unsigned timeout, const char *credential, const char *body, Delivery **ret) {
        _cleanup_(delivery_freep) Delivery *d = new0(Delivery, 1);

        if (!d)
                return -ENOMEM;
        d->queue = queue;
        d->seq = seq;
        d->timeout = timeout;
        d->id = strdup(id);
        d->event = strdup(event);
        d->url = strdup(url);
        d->credential = strdup(credential);
        d->body = strdup(body);
        if (!d->id || !d->event || !d->url || !d->credential || !d->body)
                return -ENOMEM;
        *ret = TAKE_PTR(d);
        return 0;
}

int delivery_queues_new(DeliveryQueues **ret) {
        DeliveryQueues *l = new0(DeliveryQueues, 1);

        if (!l)
                return -ENOMEM;
        *ret = l;
        return 0;
}

static void drop_waiting(DeliveryQueue *queue) {
        Delivery *d;

        while ((d = TAILQ_FIRST(&queue->waiting))) {
                TAILQ_REMOVE(&queue->waiting, d, entries);
                delivery_free(d);
        }
}

static void queue_free(DeliveryQueues *l, DeliveryQueue *queue) {
        HASH_DEL(l->by_id, queue);
        drop_waiting(queue);
        delivery_free(queue->active);
        free(queue);
}

static void free_if_done(DeliveryQueues *l, DeliveryQueue *queue) {
        if (!queue->active && queue->unrecorded == 0 && TAILQ_EMPTY(&queue->waiting))
                queue_free(l, queue);
}

DeliveryQueues *delivery_queues_free(DeliveryQueues *l) {
        DeliveryQueue *queue, *next;

        if (!l)
                return NULL;
        HASH_ITER(hh, l->by_id, queue, next)
                queue_free(l, queue);
        return mfree(l);
}

static DeliveryQueue *queue_get(DeliveryQueues *l, int64_t id) {
        DeliveryQueue *queue;

        HASH_FIND(hh, l->by_id, &id, sizeof(id), queue);
        return queue;
}

int delivery_queues_add(DeliveryQueues *l, Delivery *d) {
        DeliveryQueue *queue = queue_get(l, d->queue);

        if (!queue) {
                queue = new0(DeliveryQueue, 1);
                if (!queue)
                        return -ENOMEM;
                queue->id = d->queue;
                TAILQ_INIT(&queue->waiting);
                HASH_ADD(hh, l->by_id, id, sizeof(queue->id), queue);
        }
        TAILQ_INSERT_TAIL(&queue->waiting, d, entries);
        return 0;
}

const Delivery *delivery_queues_next(DeliveryQueues *l) {
        for (DeliveryQueue *queue = l->by_id; queue; queue = queue->hh.next) {
                if (queue->active || TAILQ_EMPTY(&queue->waiting))
                        continue;
                queue->active = TAILQ_FIRST(&queue->waiting);
                TAILQ_REMOVE(&queue->waiting, queue->active, entries);
                return queue->active;
        }
        return NULL;
}

void delivery_queues_tried(DeliveryQueues *l, const Delivery *d, bool success) {
        DeliveryQueue *queue = queue_get(l, d->queue);

        assert(queue && queue->active == d);
        queue->active = delivery_free(queue->active);
        queue->unrecorded++;
        if (!success)
                drop_waiting(queue);
}

void delivery_queues_give_back(DeliveryQueues *l, const Delivery *d) {
        DeliveryQueue *queue = queue_get(l, d->queue);

        assert(queue && queue->active == d);
        queue->active = delivery_free(queue->active);
        drop_waiting(queue);
        free_if_done(l, queue);
}

void delivery_queues_recorded(DeliveryQueues *l, int64_t id, unsigned n) {
        DeliveryQueue *queue = queue_get(l, id);

        assert(queue && queue->unrecorded >= n);
        queue->unrecorded -= n;
        free_if_done(l, queue);
}

void delivery_queues_drop_waiting(DeliveryQueues *l) {
        DeliveryQueue *queue, *next;

        HASH_ITER(hh, l->by_id, queue, next) {
                drop_waiting(queue);
                free_if_done(l, queue);
        }
}

int delivery_queues_list(const DeliveryQueues *l, int64_t **ret, size_t *ret_n) {
        int64_t *list = new0(int64_t, delivery_queues_count(l) + 1);
        size_t n = 0;

        if (!list)
                return -ENOMEM;
        for (const DeliveryQueue *queue = l->by_id; queue; queue = queue->hh.next)
                list[n++] = queue->id;
        *ret = list;
        *ret_n = n;
        return 0;
}

size_t delivery_queues_count(const DeliveryQueues *l) {
        return HASH_COUNT(l->by_id);
}

size_t delivery_queues_active(const DeliveryQueues *l) {
        size_t n = 0;

        for (const DeliveryQueue *queue = l->by_id; queue; queue = queue->hh.next)
                n += !!queue->active;
        return n;
}
