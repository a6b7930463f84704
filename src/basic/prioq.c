/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/prioq.h"

static size_t *index_of(const Prioq *q, void *item) {
        return (size_t *) (void *) ((char *) item + q->index_offset);
}

static void set(Prioq *q, size_t i, void *item) {
        q->items[i] = item;
        *index_of(q, item) = i;
}

static void up(Prioq *q, size_t i) {
        void *item = q->items[i];

        for (size_t parent; i > 0; i = parent) {
                parent = (i - 1) / 2;
                if (!q->before(item, q->items[parent]))
                        break;
                set(q, i, q->items[parent]);
        }
        set(q, i, item);
}

static void down(Prioq *q, size_t i) {
        void *item = q->items[i];

        for (size_t child; (child = 2 * i + 1) < q->n; i = child) {
                if (child + 1 < q->n && q->before(q->items[child + 1], q->items[child]))
                        child++;
                if (!q->before(q->items[child], item))
                        break;
                set(q, i, q->items[child]);
        }
        set(q, i, item);
}

void prioq_init(Prioq *q, bool (*before)(const void *a, const void *b), size_t index_offset) {
        *q = (Prioq){ .before = before, .index_offset = index_offset };
}

void prioq_done(Prioq *q) {
        free(q->items);
        q->items = NULL;
        q->n = q->allocated = 0;
}

int prioq_reserve(Prioq *q, size_t n) {
        size_t want = MAX(n, 2 * q->allocated);
        void **items;

        if (n <= q->allocated)
                return 0;
        items = reallocarray(q->items, want, sizeof(*items));
        if (!items)
                return -ENOMEM;
        q->items = items;
        q->allocated = want;
        return 0;
}

void prioq_put(Prioq *q, void *item) {
        assert(q->n < q->allocated);

        q->items[q->n++] = item;
        up(q, q->n - 1);
}

void prioq_remove(Prioq *q, void *item) {
        size_t i = *index_of(q, item);
        void *last;

        assert(i < q->n && q->items[i] == item);
        last = q->items[--q->n];
        if (last == item)
                return;
        set(q, i, last);
        prioq_moved(q, last);
}

void prioq_moved(Prioq *q, void *item) {
        up(q, *index_of(q, item));
        down(q, *index_of(q, item));
}

void *prioq_first(const Prioq *q) {
        return q->n > 0 ? q->items[0] : NULL;
}
