/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/thread-call.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"

#define STACK_SIZE ((size_t) 256 * 1024)

/* Belongs to the loop and to the thread; the last one frees it. */
typedef struct ThreadCall {
        LIST_ENTRY(ThreadCall) calls;
        ThreadCalls *owner; /* the loop's */
        atomic_uint refs;
        int (*work)(void *userdata);
        void (*done)(int r, void *userdata);
        void (*destroy)(void *userdata); /* NULL: it did not start */
        void *userdata;
        int result; /* written before the eventfd is */
        int fd;
        sd_event_source *source; /* the loop's */
} ThreadCall;

struct ThreadCalls {
        sd_event *event;
        unsigned n, max;
        LIST_HEAD(, ThreadCall) calls;
};

static void call_unref(ThreadCall *t) {
        if (atomic_fetch_sub(&t->refs, 1) > 1)
                return;
        if (t->destroy)
                t->destroy(t->userdata);
        safe_close(t->fd);
        free(t);
}

static void *run(void *userdata) {
        ThreadCall *t = userdata;
        const uint64_t one = 1;

        t->result = t->work(t->userdata);
        if (write(t->fd, &one, sizeof(one)) < 0)
                log_error_errno(errno, "Failed to wake the event loop: %m");
        call_unref(t);
        return NULL;
}

/* The loop's part of the end. */
static void forget(ThreadCall *t) {
        t->source = sd_event_source_disable_unref(t->source);
        LIST_REMOVE(t, calls);
        t->owner->n--;
}

static int on_done(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        ThreadCall *t = userdata;
        uint64_t n;

        if (read(fd, &n, sizeof(n)) < 0)
                return 0;
        forget(t);
        t->done(t->result, t->userdata);
        call_unref(t);
        return 0;
}

/* With all signals blocked: they are the loop's. */
static int start_thread(ThreadCall *t) {
        sigset_t all, old;
        pthread_attr_t attributes;
        pthread_t thread;
        int r = pthread_attr_init(&attributes);

        if (r != 0)
                return -r;
        (void) pthread_attr_setstacksize(&attributes, STACK_SIZE);
        (void) pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &old);
        r = pthread_create(&thread, &attributes, run, t);
        (void) pthread_sigmask(SIG_SETMASK, &old, NULL);
        (void) pthread_attr_destroy(&attributes);
        return -r;
}

int thread_call(ThreadCalls *c, int (*work)(void *userdata), void (*done)(int r, void *userdata),
                void (*destroy)(void *userdata), void *userdata) {
        ThreadCall *t;
        int r;

        if (c->n >= c->max)
                return -EBUSY;
        t = new0(ThreadCall, 1);
        if (!t)
                return -ENOMEM;
        t->owner = c;
        t->work = work;
        t->done = done;
        t->userdata = userdata;
        atomic_init(&t->refs, 1);
        LIST_INSERT_HEAD(&c->calls, t, calls);
        c->n++;

        t->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        r = t->fd < 0 ? -errno : sd_event_add_io(c->event, &t->source, t->fd, EPOLLIN, on_done, t);
        if (r >= 0) {
                t->destroy = destroy;
                atomic_init(&t->refs, 2); /* before the thread can drop its own */
                r = start_thread(t);
        }
        if (r < 0) {
                t->destroy = NULL;
                atomic_init(&t->refs, 1);
                forget(t);
                call_unref(t);
        }
        return r;
}

unsigned thread_calls_pending(const ThreadCalls *c) {
        return c ? c->n : 0;
}

int thread_calls_new(sd_event *event, unsigned max, ThreadCalls **ret) {
        ThreadCalls *c = new0(ThreadCalls, 1);

        if (!c)
                return -ENOMEM;
        c->event = sd_event_ref(event);
        c->max = max;
        LIST_INIT(&c->calls);
        *ret = c;
        return 0;
}

ThreadCalls *thread_calls_free(ThreadCalls *c) {
        ThreadCall *t;

        if (!c)
                return NULL;
        while ((t = LIST_FIRST(&c->calls))) {
                forget(t);
                t->done(-ECANCELED, t->userdata);
                call_unref(t);
        }
        sd_event_unref(c->event);
        return mfree(c);
}
