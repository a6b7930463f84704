/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "job/pool.h"

STAILQ_HEAD(PoolTasks, PoolTask);

struct Pool {
        pthread_mutex_t lock; /* waiting, finished, stop */
        pthread_cond_t wake;
        struct PoolTasks waiting, finished;
        bool stop;
        int event_fd; /* counts up when finished gets its first task */
        unsigned n_threads;
        pthread_t threads[];
};

static void *pool_thread(void *userdata) {
        Pool *p = userdata;
        const uint64_t one = 1;

        pthread_mutex_lock(&p->lock);
        for (;;) {
                PoolTask *t = STAILQ_FIRST(&p->waiting);

                if (p->stop)
                        break;
                if (!t) {
                        pthread_cond_wait(&p->wake, &p->lock);
                        continue;
                }
                STAILQ_REMOVE_HEAD(&p->waiting, entry);
                pthread_mutex_unlock(&p->lock);
                t->result = t->run(t);
                pthread_mutex_lock(&p->lock);

                bool first = STAILQ_EMPTY(&p->finished);
                STAILQ_INSERT_TAIL(&p->finished, t, entry);
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
        STAILQ_INIT(&p->waiting);
        STAILQ_INIT(&p->finished);
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
        STAILQ_INSERT_TAIL(&p->waiting, t, entry);
        pthread_cond_signal(&p->wake);
        pthread_mutex_unlock(&p->lock);
}

int pool_fd(const Pool *p) {
        return p->event_fd;
}

void pool_dispatch(Pool *p) {
        struct PoolTasks finished = STAILQ_HEAD_INITIALIZER(finished);
        uint64_t count;

        pthread_mutex_lock(&p->lock);
        STAILQ_CONCAT(&finished, &p->finished);
        /* Emptying it fails only when it is empty. */
        ssize_t n _unused_ = read(p->event_fd, &count, sizeof(count));
        pthread_mutex_unlock(&p->lock);

        for (PoolTask *t; (t = STAILQ_FIRST(&finished));) {
                STAILQ_REMOVE_HEAD(&finished, entry);
                t->done(t, t->result);
        }
}
