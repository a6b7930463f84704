/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/decode-threads.h"

#include <poll.h>
#include <sched.h>
#include <stdlib.h>

#include "engine/pool.h"

/* What one thread has. */
typedef struct Share {
        PoolTask task; /* the first member */
        DecodeThreads *threads;
        VmdkInflater *inflater;
} Share;

struct DecodeThreads {
        Pool *pool; /* NULL: there is only the caller's thread */
        unsigned n; /* shares, the first of which is the caller's */
        unsigned running;
        Share shares[DECODE_THREADS_MAX];
        VmdkGrain *grains;
        size_t n_grains;
        size_t next; /* the first grain that no thread has; atomic */
};

static void inflate_some(Share *s) {
        DecodeThreads *t = s->threads;
        size_t i;

        while ((i = __atomic_fetch_add(&t->next, 1, __ATOMIC_RELAXED)) < t->n_grains)
                vmdk_grain_inflate(&t->grains[i], s->inflater);
}

static int on_run(PoolTask *task) {
        inflate_some((Share *) task);
        return 0;
}

static void on_done(PoolTask *task, _unused_ int result) {
        ((Share *) task)->threads->running--;
}

void decode_threads_inflate(DecodeThreads *t, VmdkGrain *grains, size_t n) {
        struct pollfd p = { .fd = t->pool ? pool_fd(t->pool) : -1, .events = POLLIN };
        unsigned helpers = (unsigned) MIN((size_t) t->n, n) - 1;

        t->grains = grains;
        t->n_grains = n;
        t->next = 0;
        t->running = helpers;
        for (unsigned i = 1; i <= helpers; i++)
                pool_submit(t->pool, &t->shares[i].task);
        inflate_some(&t->shares[0]);
        while (t->running > 0) {
                (void) poll(&p, 1, -1);
                pool_dispatch(t->pool);
        }
}

/* Those that this process may use. */
static unsigned count_processors(void) {
        cpu_set_t set;

        return sched_getaffinity(0, sizeof(set), &set) < 0 ? 1 : (unsigned) CPU_COUNT(&set);
}

int decode_threads_new(unsigned n_threads, DecodeThreads **ret) {
        _cleanup_(decode_threads_freep) DecodeThreads *t = new0(DecodeThreads, 1);

        if (!t)
                return -ENOMEM;
        t->n = CLAMP(n_threads > 0 ? n_threads : count_processors(), 1U, DECODE_THREADS_MAX);
        for (unsigned i = 0; i < t->n; i++) {
                t->shares[i] = (Share){
                        .task = { .run = on_run, .done = on_done },
                        .threads = t,
                        .inflater = vmdk_inflater_new(),
                };
                if (!t->shares[i].inflater)
                        return -ENOMEM;
        }
        int r = t->n > 1 ? pool_new(t->n - 1, &t->pool) : 0;
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}

DecodeThreads *decode_threads_free(DecodeThreads *t) {
        if (!t)
                return NULL;
        pool_free(t->pool);
        for (unsigned i = 0; i < DECODE_THREADS_MAX; i++)
                vmdk_inflater_free(t->shares[i].inflater);
        free(t);
        return NULL;
}
