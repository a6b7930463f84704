/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "hosts/host-thread.h"
#include "hosts/libvirt-error.h"

TAILQ_HEAD(Tasks, Task);

/* Events that the loop has not handled yet; with more than this many, the loop lists all VMs. */
#define EVENTS_MAX 1024

struct HostThread {
        atomic_uint refs; /* the owner's, the thread's, one for each of libvirt's callbacks */
        int fd; /* eventfd: there is something for the loop */

        pthread_mutex_t lock;
        pthread_cond_t wake;
        struct Tasks todo, done; /* locked */
        Task *running; /* locked */
        char **changed; /* locked: UUIDs */
        size_t n_changed;
        bool closed; /* locked: the connection broke */
        bool quit; /* locked: end after the current task */
        atomic_bool ended; /* the thread is at its end */

        /* The thread's alone */
        int callbacks[4]; /* of events, -1: none */
        bool watches_close;

        /* The loop's alone */
        HostThreadHandler handler;
        sd_event_source *source, *timer;
        size_t n_outstanding;
        bool in_dispatch, dropped;
};

static atomic_uint n_abandoned;

unsigned host_thread_abandoned(void) {
        return n_abandoned;
}

static void task_free(Task *t) {
        char *error = t->error;

        t->free(t);
        free(error);
}

static void tasks_free(struct Tasks *tasks) {
        Task *t;

        while ((t = TAILQ_FIRST(tasks))) {
                TAILQ_REMOVE(tasks, t, entries);
                task_free(t);
        }
}

HostThread *host_thread_ref(HostThread *w) {
        w->refs++;
        return w;
}

HostThread *host_thread_unref(HostThread *w) {
        if (!w || --w->refs > 0)
                return NULL;
        tasks_free(&w->todo);
        tasks_free(&w->done);
        strv_free(w->changed);
        safe_close(w->fd);
        pthread_cond_destroy(&w->wake);
        pthread_mutex_destroy(&w->lock);
        return mfree(w);
}

bool host_thread_has_ended(const HostThread *w) {
        return w->ended;
}

/* Locked. */
static void tell_loop(HostThread *w) {
        const uint64_t one = 1;

        if (!w->quit && write(w->fd, &one, sizeof(one)) < 0) {
                /* The counter is at its end: the loop has enough to wake up for. */
        }
}

/* --- libvirt's thread ------------------------------------------------------------------------------ */

static void release_thread(void *p) {
        host_thread_unref(p);
}

static void note_change(HostThread *w, const char *uuid) {
        pthread_mutex_lock(&w->lock);
        if (!w->quit && !strv_contains(w->changed, uuid)) {
                /* Too many to name: the loop is to look at all of them. */
                if (w->n_changed >= EVENTS_MAX) {
                        w->changed = strv_free(w->changed);
                        w->n_changed = 0;
                        uuid = "";
                }
                if (strv_extend(&w->changed, uuid) >= 0)
                        w->n_changed++;
                tell_loop(w);
        }
        pthread_mutex_unlock(&w->lock);
}

static int on_domain(virConnectPtr connection, virDomainPtr domain, void *userdata) {
        char uuid[VIR_UUID_STRING_BUFLEN];

        if (virDomainGetUUIDString(domain, uuid) == 0)
                note_change(userdata, uuid);
        return 0;
}

static void on_lifecycle(
                virConnectPtr connection, virDomainPtr domain, int event, int detail, void *userdata) {
        (void) on_domain(connection, domain, userdata);
}

static void on_metadata(
                virConnectPtr connection, virDomainPtr domain, int type, const char *uri, void *userdata) {
        (void) on_domain(connection, domain, userdata);
}

static void on_balloon(
                virConnectPtr connection, virDomainPtr domain, unsigned long long actual, void *userdata) {
        (void) on_domain(connection, domain, userdata);
}

static void on_close(virConnectPtr connection, int reason, void *userdata) {
        HostThread *w = userdata;

        pthread_mutex_lock(&w->lock);
        w->closed = true;
        tell_loop(w);
        pthread_mutex_unlock(&w->lock);
}

/* --- the thread ------------------------------------------------------------------------------------ */

static Task *next_task(HostThread *w) {
        Task *t;

        pthread_mutex_lock(&w->lock);
        while (!w->quit && TAILQ_EMPTY(&w->todo))
                pthread_cond_wait(&w->wake, &w->lock);
        t = w->quit ? NULL : TAILQ_FIRST(&w->todo);
        if (t) {
                TAILQ_REMOVE(&w->todo, t, entries);
                w->running = t;
        }
        pthread_mutex_unlock(&w->lock);
        return t;
}

int host_thread_watch(HostThread *w, virConnectPtr connection, char **ret_error) {
        static const struct {
                int event;
                virConnectDomainEventGenericCallback callback;
        } events[ELEMENTSOF(w->callbacks)] = {
                { VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle) },
                { VIR_DOMAIN_EVENT_ID_REBOOT, VIR_DOMAIN_EVENT_CALLBACK(on_domain) },
                { VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_metadata) },
                { VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_balloon) },
        };

        for (size_t i = 0; i < ELEMENTSOF(events); i++) {
                w->callbacks[i] = virConnectDomainEventRegisterAny(connection, NULL, events[i].event,
                                events[i].callback, host_thread_ref(w), release_thread);
                if (w->callbacks[i] < 0)
                        host_thread_unref(w);
                /* Without the others changes are seen later, without this one not at all. */
                if (w->callbacks[i] < 0 && events[i].event == VIR_DOMAIN_EVENT_ID_LIFECYCLE)
                        return libvirt_error(ret_error);
        }
        /* Without a reference: a driver whose connection cannot break takes the callback and never frees it.
         * libvirt holds a lock while it calls it, so that nothing comes after close_connection(). */
        w->watches_close = virConnectRegisterCloseCallback(connection, on_close, w, NULL) == 0;
        return 0;
}

static void close_connection(HostThread *w, virConnectPtr connection) {
        for (size_t i = 0; i < ELEMENTSOF(w->callbacks); i++)
                if (w->callbacks[i] >= 0)
                        (void) virConnectDomainEventDeregisterAny(connection, w->callbacks[i]);
        if (w->watches_close)
                (void) virConnectUnregisterCloseCallback(connection, on_close);
        (void) virConnectClose(connection);
}

static void *host_thread_thread(void *p) {
        virConnectPtr connection = NULL;
        HostThread *w = p;
        Task *t;

        while ((t = next_task(w))) {
                int r = t->run(t, w, &connection);

                pthread_mutex_lock(&w->lock);
                t->result = r;
                w->running = NULL;
                TAILQ_INSERT_TAIL(&w->done, t, entries);
                tell_loop(w);
                pthread_mutex_unlock(&w->lock);
        }
        if (connection)
                close_connection(w, connection);
        w->ended = true;
        host_thread_unref(w);
        n_abandoned--; /* last: who waits for that may look at what was freed */
        return NULL;
}

/* --- the loop -------------------------------------------------------------------------------------- */

static int rearm(HostThread *w) {
        usec_t first = USEC_INFINITY;
        Task *t;

        pthread_mutex_lock(&w->lock);
        if (w->running && !w->running->given_up)
                first = w->running->deadline;
        TAILQ_FOREACH(t, &w->todo, entries)
                first = MIN(first, t->deadline);
        pthread_mutex_unlock(&w->lock);
        if (first == USEC_INFINITY)
                return sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
        int r = sd_event_source_set_time(w->timer, first);
        return r < 0 ? r : sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

static Task *take_expired(HostThread *w, usec_t now) {
        Task *t;

        pthread_mutex_lock(&w->lock);
        t = w->running;
        if (t && !t->given_up && t->deadline <= now)
                t->given_up = true; /* it comes back in "done", if ever */
        else {
                TAILQ_FOREACH(t, &w->todo, entries)
                        if (t->deadline <= now)
                                break;
                if (t)
                        TAILQ_REMOVE(&w->todo, t, entries);
        }
        pthread_mutex_unlock(&w->lock);
        return t;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        HostThread *w = host_thread_ref(userdata);
        Task *t;

        while (!w->dropped && (t = take_expired(w, now_monotonic()))) {
                bool hangs = t->given_up;

                w->n_outstanding--;
                t->done(t, -ETIMEDOUT);
                if (!hangs)
                        task_free(t);
        }
        if (!w->dropped)
                (void) rearm(w);
        host_thread_unref(w);
        return 0;
}

static Task *take_done(HostThread *w) {
        Task *t;

        pthread_mutex_lock(&w->lock);
        t = TAILQ_FIRST(&w->done);
        if (t)
                TAILQ_REMOVE(&w->done, t, entries);
        pthread_mutex_unlock(&w->lock);
        return t;
}

static int on_events(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        HostThread *w = host_thread_ref(userdata);
        _cleanup_strv_free_ char **changed = NULL;
        uint64_t n;
        bool closed;
        Task *t;

        if (read(fd, &n, sizeof(n)) < 0) {
                /* Nothing to count: look all the same. */
        }
        while (!w->dropped && (t = take_done(w))) {
                if (!t->given_up) {
                        w->n_outstanding--;
                        t->done(t, t->result);
                }
                task_free(t);
        }
        pthread_mutex_lock(&w->lock);
        changed = TAKE_PTR(w->changed);
        w->n_changed = 0;
        closed = w->closed;
        w->closed = false;
        pthread_mutex_unlock(&w->lock);
        STRV_FOREACH(uuid, changed)
                if (!w->dropped)
                        w->handler.on_vm(w->handler.userdata, *uuid);
        if (closed && !w->dropped)
                w->handler.on_closed(w->handler.userdata);
        if (!w->dropped)
                (void) rearm(w);
        host_thread_unref(w);
        return 0;
}

int host_thread_new(sd_event *event, const HostThreadHandler *handler, HostThread **ret) {
        HostThread *w = new0(HostThread, 1);
        pthread_t thread;
        int r;

        if (!w)
                return -ENOMEM;
        w->refs = 1;
        w->handler = *handler;
        for (size_t i = 0; i < ELEMENTSOF(w->callbacks); i++)
                w->callbacks[i] = -1;
        TAILQ_INIT(&w->todo);
        TAILQ_INIT(&w->done);
        (void) pthread_mutex_init(&w->lock, NULL);
        (void) pthread_cond_init(&w->wake, NULL);
        w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        r = w->fd < 0 ? -errno : sd_event_add_io(event, &w->source, w->fd, EPOLLIN, on_events, w);
        if (r >= 0)
                r = sd_event_add_time(event, &w->timer, CLOCK_MONOTONIC, 0, 1, on_timer, w);
        if (r >= 0)
                r = sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
        if (r >= 0) {
                (void) host_thread_ref(w);
                r = -pthread_create(&thread, NULL, host_thread_thread, w);
                if (r < 0)
                        w->refs--;
        }
        if (r < 0) {
                sd_event_source_disable_unref(w->source);
                sd_event_source_disable_unref(w->timer);
                host_thread_unref(w);
                return r;
        }
        (void) pthread_detach(thread);
        *ret = w;
        return 0;
}

HostThread *host_thread_abandon(HostThread *w) {
        struct Tasks todo;
        Task *t;

        if (!w)
                return NULL;
        w->dropped = true;
        w->source = sd_event_source_disable_unref(w->source);
        w->timer = sd_event_source_disable_unref(w->timer);
        TAILQ_INIT(&todo);
        pthread_mutex_lock(&w->lock);
        TAILQ_CONCAT(&todo, &w->todo, entries);
        t = w->running;
        if (t && !t->given_up)
                t->given_up = true;
        else
                t = NULL;
        pthread_mutex_unlock(&w->lock);
        if (t)
                t->done(t, -ECANCELED);
        while ((t = TAILQ_FIRST(&todo))) {
                TAILQ_REMOVE(&todo, t, entries);
                t->done(t, -ECANCELED);
                task_free(t);
        }
        while ((t = take_done(w))) {
                if (!t->given_up)
                        t->done(t, -ECANCELED);
                task_free(t);
        }
        /* From here on the thread may free everything. */
        n_abandoned++;
        pthread_mutex_lock(&w->lock);
        w->quit = true;
        pthread_cond_signal(&w->wake);
        pthread_mutex_unlock(&w->lock);
        host_thread_unref(w);
        return NULL;
}

int host_thread_run(HostThread *w, Task *t, usec_t timeout) {
        int r;

        if (w->n_outstanding >= HOST_THREAD_QUEUE_MAX) {
                task_free(t);
                return -EBUSY;
        }
        t->deadline = now_monotonic() + timeout;
        w->n_outstanding++;
        pthread_mutex_lock(&w->lock);
        TAILQ_INSERT_TAIL(&w->todo, t, entries);
        pthread_cond_signal(&w->wake);
        pthread_mutex_unlock(&w->lock);
        r = rearm(w);
        return r < 0 ? 0 : r; /* without a timer it is only not given up */
}

bool host_thread_hangs(HostThread *w) {
        bool hangs;

        pthread_mutex_lock(&w->lock);
        hangs = w->running && w->running->given_up;
        pthread_mutex_unlock(&w->lock);
        return hangs;
}
