/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "engine/pool.h"

TAILQ_HEAD(PoolTasks, PoolTask);

struct Pool {
        pthread_mutex_t lock; /* for what follows */
        pthread_cond_t wake;
        struct PoolTasks waiting, finished;
        bool stop, serial_busy;
        int event_fd; /* counts up when finished gets its first task */
        unsigned n_threads;
        pthread_t threads[];
};

/* The first task that may start now. */
static PoolTask *pool_take(Pool *p) {
        PoolTask *t;

        TAILQ_FOREACH(t, &p->waiting, entry)
                if (!t->serial || !p->serial_busy)
                        break;
        if (!t)
                return NULL;
        TAILQ_REMOVE(&p->waiting, t, entry);
        if (t->serial)
                p->serial_busy = true;
        return t;
}

static void *pool_thread(void *userdata) {
        Pool *p = userdata;
        const uint64_t one = 1;

        pthread_mutex_lock(&p->lock);
        while (!p->stop) {
                PoolTask *t = pool_take(p);

                if (!t) {
                        pthread_cond_wait(&p->wake, &p->lock);
                        continue;
                }
                pthread_mutex_unlock(&p->lock);
                t->result = t->run(t);
                pthread_mutex_lock(&p->lock);
                if (t->serial)
                        p->serial_busy = false;

                bool first = TAILQ_EMPTY(&p->finished);
                TAILQ_INSERT_TAIL(&p->finished, t, entry);
                /* An eventfd's write can fail only when its counter is full, and then it is readable. */
                if (first && write(p->event_fd, &one, sizeof(one)) < 0)
                        continue;
        }
        pthread_mutex_unlock(&p->lock);
        return NULL;
}

/* Threads of the pool take no signals: those are the program's business. */
static int start_threads(Pool *p, unsigned n) {
        sigset_t all, saved;
        int r = 0;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &saved);
        for (; p->n_threads < n && r == 0;) {
                r = -pthread_create(&p->threads[p->n_threads], NULL, pool_thread, p);
                if (r == 0)
                        p->n_threads++;
        }
        pthread_sigmask(SIG_SETMASK, &saved, NULL);
        return r;
}

int pool_new(unsigned threads, Pool **ret) {
        _cleanup_(pool_freep) Pool *p = calloc(1, sizeof(Pool) + threads * sizeof(pthread_t));

        if (!p)
                return -ENOMEM;
        pthread_mutex_init(&p->lock, NULL);
        pthread_cond_init(&p->wake, NULL);
        TAILQ_INIT(&p->waiting);
        TAILQ_INIT(&p->finished);
        p->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (p->event_fd < 0)
                return -errno;
        int r = start_threads(p, threads);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

Pool *pool_free(Pool *p) {
        if (!p)
                return NULL;
        pthread_mutex_lock(&p->lock);
        p->stop = true;
        pthread_cond_broadcast(&p->wake);
        pthread_mutex_unlock(&p->lock);
        for (unsigned i = 0; i < p->n_threads; i++)
                pthread_join(p->threads[i], NULL);
        safe_close(p->event_fd);
        pthread_cond_destroy(&p->wake);
        pthread_mutex_destroy(&p->lock);
        free(p);
        return NULL;
}

void pool_submit(Pool *p, PoolTask *t) {
        pthread_mutex_lock(&p->lock);
        TAILQ_INSERT_TAIL(&p->waiting, t, entry);
        pthread_cond_signal(&p->wake);
        pthread_mutex_unlock(&p->lock);
}

int pool_fd(const Pool *p) {
        return p->event_fd;
}

void pool_dispatch(Pool *p) {
        struct PoolTasks finished = TAILQ_HEAD_INITIALIZER(finished);
        uint64_t count;

        pthread_mutex_lock(&p->lock);
        TAILQ_CONCAT(&finished, &p->finished, entry);
        /* Emptying it fails only when it is empty. */
        ssize_t n _unused_ = read(p->event_fd, &count, sizeof(count));
        pthread_mutex_unlock(&p->lock);

        for (PoolTask *t; (t = TAILQ_FIRST(&finished));) {
                TAILQ_REMOVE(&finished, t, entry);
                t->done(t, t->result);
        }
}
