/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "notify/lane.h"

#include "basic/string-util.h"

typedef struct Lane {
        int64_t id;
        TAILQ_HEAD(, Delivery) waiting;
        Delivery *active;
        unsigned unrecorded;
        UT_hash_handle hh;
} Lane;

struct Lanes {
        Lane *by_id;
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

int delivery_new(int64_t lane, int64_t seq, const char *id, const char *event, const char *url,
                unsigned timeout, const char *credential, const char *body, Delivery **ret) {
        _cleanup_(delivery_freep) Delivery *d = new0(Delivery, 1);

        if (!d)
                return -ENOMEM;
        d->lane = lane;
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

int lanes_new(Lanes **ret) {
        Lanes *l = new0(Lanes, 1);

        if (!l)
                return -ENOMEM;
        *ret = l;
        return 0;
}

static void drop_waiting(Lane *lane) {
        Delivery *d;

        while ((d = TAILQ_FIRST(&lane->waiting))) {
                TAILQ_REMOVE(&lane->waiting, d, entries);
                delivery_free(d);
        }
}

static void lane_free(Lanes *l, Lane *lane) {
        HASH_DEL(l->by_id, lane);
        drop_waiting(lane);
        delivery_free(lane->active);
        free(lane);
}

static void free_if_done(Lanes *l, Lane *lane) {
        if (!lane->active && lane->unrecorded == 0 && TAILQ_EMPTY(&lane->waiting))
                lane_free(l, lane);
}

Lanes *lanes_free(Lanes *l) {
        Lane *lane, *next;

        if (!l)
                return NULL;
        HASH_ITER(hh, l->by_id, lane, next)
                lane_free(l, lane);
        return mfree(l);
}

static Lane *lane_get(Lanes *l, int64_t id) {
        Lane *lane;

        HASH_FIND(hh, l->by_id, &id, sizeof(id), lane);
        return lane;
}

int lanes_add(Lanes *l, Delivery *d) {
        Lane *lane = lane_get(l, d->lane);

        if (!lane) {
                lane = new0(Lane, 1);
                if (!lane)
                        return -ENOMEM;
                lane->id = d->lane;
                TAILQ_INIT(&lane->waiting);
                HASH_ADD(hh, l->by_id, id, sizeof(lane->id), lane);
        }
        TAILQ_INSERT_TAIL(&lane->waiting, d, entries);
        return 0;
}

const Delivery *lanes_next(Lanes *l) {
        for (Lane *lane = l->by_id; lane; lane = lane->hh.next) {
                if (lane->active || TAILQ_EMPTY(&lane->waiting))
                        continue;
                lane->active = TAILQ_FIRST(&lane->waiting);
                TAILQ_REMOVE(&lane->waiting, lane->active, entries);
                return lane->active;
        }
        return NULL;
}

void lanes_tried(Lanes *l, const Delivery *d, bool success) {
        Lane *lane = lane_get(l, d->lane);

        assert(lane && lane->active == d);
        lane->active = delivery_free(lane->active);
        lane->unrecorded++;
        if (!success)
                drop_waiting(lane);
}

void lanes_give_back(Lanes *l, const Delivery *d) {
        Lane *lane = lane_get(l, d->lane);

        assert(lane && lane->active == d);
        lane->active = delivery_free(lane->active);
        drop_waiting(lane);
        free_if_done(l, lane);
}

void lanes_recorded(Lanes *l, int64_t id, unsigned n) {
        Lane *lane = lane_get(l, id);

        assert(lane && lane->unrecorded >= n);
        lane->unrecorded -= n;
        free_if_done(l, lane);
}

void lanes_drop_waiting(Lanes *l) {
        Lane *lane, *next;

        HASH_ITER(hh, l->by_id, lane, next) {
                drop_waiting(lane);
                free_if_done(l, lane);
        }
}

int lanes_list(const Lanes *l, int64_t **ret, size_t *ret_n) {
        int64_t *list = new0(int64_t, lanes_count(l) + 1);
        size_t n = 0;

        if (!list)
                return -ENOMEM;
        for (const Lane *lane = l->by_id; lane; lane = lane->hh.next)
                list[n++] = lane->id;
        *ret = list;
        *ret_n = n;
        return 0;
}

size_t lanes_count(const Lanes *l) {
        return HASH_COUNT(l->by_id);
}

size_t lanes_active(const Lanes *l) {
        size_t n = 0;

        for (const Lane *lane = l->by_id; lane; lane = lane->hh.next)
                n += !!lane->active;
        return n;
}
