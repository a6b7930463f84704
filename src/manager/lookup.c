/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/lookup.h"
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"

/* Those that were asked for later wait no longer for one than this. */
#define ORDER_TIME (100 * USEC_PER_MSEC)
#define EXISTS_TIME USEC_PER_SEC
#define STACK_SIZE ((size_t) 512 * 1024)

typedef enum LookupStage {
        LOOKUP_WAITS, /* for a thread */
        LOOKUP_RUNS,
        LOOKUP_DONE,
} LookupStage;

/* Shared by the loop and the threads; all that is not constant is locked. */
typedef struct Core {
        pthread_mutex_t lock;
        pthread_cond_t wake; /* threads: there is work, or an end */
        pthread_cond_t changed; /* the loop, where it waits: a lookup is done, or a thread has ended */
        TAILQ_HEAD(, Lookup) todo;
        unsigned n_threads, n_idle, n_hanging;
        unsigned refs; /* threads, and the pool */
        int fd; /* eventfd: something is done */
        bool quit;
} Core;

struct Lookup {
        LookupPool *pool; /* the loop's */
        Core *core;
        lookup_function look;
        JobSpec *spec;
        PathRules rules;
        int at; /* LookingAt: set by the thread, read by the loop */
        char *path; /* of lookup_exists(), in place of spec */

        /* Locked until it is done */
        LookupStage stage;
        bool given_up; /* the loop has forgotten it: who runs it frees it */
        JobFiles files;
        JsonErrors errors;
        int result;
        TAILQ_ENTRY(Lookup) in_todo;

        /* The loop's */
        lookup_done done;
        void *userdata;
        usec_t started; /* monotonic */
        TAILQ_ENTRY(Lookup) in_pending;
};

struct LookupPool {
        Core *core;
        sd_event *event;
        sd_event_source *source, *timer;
        TAILQ_HEAD(, Lookup) pending; /* in the order in which they were asked for */
        size_t n_pending;
        char *hangs_on; /* the path that was given up last */
        lookup_function override;
        usec_t timeout;
};

static Lookup *lookup_free(Lookup *l) {
        if (!l)
                return NULL;
        job_files_done(&l->files);
        path_rules_done(&l->rules);
        job_spec_free(l->spec);
        free(l->path);
        json_errors_done(&l->errors);
        return mfree(l);
}
DEFINE_CLEANUP_FUNC(Lookup *, lookup_free);

/* --- threads --------------------------------------------------------------------------------------- */

/* Called locked, returns unlocked. */
static void core_unref_unlock(Core *c) {
        bool last = --c->refs == 0;

        pthread_mutex_unlock(&c->lock);
        if (!last)
                return;
        safe_close(c->fd);
        pthread_cond_destroy(&c->changed);
        pthread_cond_destroy(&c->wake);
        pthread_mutex_destroy(&c->lock);
        free(c);
}

static void work(Lookup *l) {
        struct stat st;

        if (l->path)
                l->result = lstat(l->path, &st) >= 0;
        else
                l->result = l->look(l->spec, &l->rules, &l->files, &l->errors);
}

/* Locked. */
static void finish(Core *c, Lookup *l) {
        const uint64_t one = 1;

        l->stage = LOOKUP_DONE;
        if (l->given_up) {
                c->n_hanging--;
                lookup_free(l);
        } else if (write(c->fd, &one, sizeof(one)) < 0) {
                /* The counter is at its end: the loop has enough to wake up for. */
        }
        pthread_cond_broadcast(&c->changed);
}

static void *run_thread(void *userdata) {
        Core *c = userdata;
        Lookup *l;

        pthread_mutex_lock(&c->lock);
        while (!c->quit) {
                l = TAILQ_FIRST(&c->todo);
                if (!l) {
                        c->n_idle++;
                        pthread_cond_wait(&c->wake, &c->lock);
                        c->n_idle--;
                        continue;
                }
                TAILQ_REMOVE(&c->todo, l, in_todo);
                l->stage = LOOKUP_RUNS;
                pthread_mutex_unlock(&c->lock);
                work(l);
                pthread_mutex_lock(&c->lock);
                finish(c, l);
        }
        c->n_threads--;
        pthread_cond_broadcast(&c->changed);
        core_unref_unlock(c);
        return NULL;
}

/* Locked. Signals are for the loop. */
static int start_thread(Core *c) {
        sigset_t all, before;
        pthread_attr_t attr;
        pthread_t thread;
        int r;

        sigfillset(&all);
        r = -pthread_attr_init(&attr);
        if (r < 0)
                return r;
        (void) pthread_attr_setstacksize(&attr, STACK_SIZE);
        (void) pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        (void) pthread_sigmask(SIG_SETMASK, &all, &before);
        r = -pthread_create(&thread, &attr, run_thread, c);
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attr);
        if (r >= 0) {
                c->n_threads++;
                c->refs++;
        }
        return r;
}

/* Has a thread take @l; one more is started where all that there are have something to do. */
static int give(Core *c, Lookup *l) {
        unsigned n_waiting = 1;
        Lookup *other;
        int r = 0;

        pthread_mutex_lock(&c->lock);
        TAILQ_FOREACH(other, &c->todo, in_todo)
                n_waiting++;
        if (c->n_idle < n_waiting && c->n_threads < LOOKUP_THREADS_MAX)
                r = start_thread(c);
        if (r < 0 && c->n_threads > c->n_hanging)
                r = 0; /* others will come to it */
        if (r >= 0) {
                TAILQ_INSERT_TAIL(&c->todo, l, in_todo);
                pthread_cond_signal(&c->wake);
        }
        pthread_mutex_unlock(&c->lock);
        return r;
}

/* The loop wants no more of @l, which it has taken out of its list. True if it was running. */
static bool give_up(Core *c, Lookup *l) {
        bool runs;

        pthread_mutex_lock(&c->lock);
        runs = l->stage == LOOKUP_RUNS;
        if (l->stage == LOOKUP_WAITS)
                TAILQ_REMOVE(&c->todo, l, in_todo);
        if (runs) {
                l->given_up = true;
                c->n_hanging++;
        }
        pthread_mutex_unlock(&c->lock);
        if (!runs)
                lookup_free(l);
        return runs;
}

/* --- the loop -------------------------------------------------------------------------------------- */

static bool is_done(Lookup *l) {
        pthread_mutex_lock(&l->core->lock);
        bool done = l->stage == LOOKUP_DONE;
        pthread_mutex_unlock(&l->core->lock);
        return done;
}

static void take_out(Lookup *l) {
        TAILQ_REMOVE(&l->pool->pending, l, in_pending);
        l->pool->n_pending--;
}

/* Adds {"source.path", "/mnt/a: …"} of where it was. */
static int describe_hang(const Lookup *l, JsonErrors *errors) {
        int at = __atomic_load_n(&l->at, __ATOMIC_RELAXED);
        const JobEndpoint *e = at == LOOKING_AT_DESTINATION ? &l->spec->destination : &l->spec->source;

        _cleanup_free_ char *field = strprintf("%s.%s",
                        at == LOOKING_AT_DESTINATION ? "destination" : "source", strna(endpoint_field(e)));

        if (!field)
                return -ENOMEM;
        return json_errors_add(errors, field,
                        "%s: it does not answer; is the server of its file system (NFS) reachable?",
                        strna(endpoint_identity(e)));
}

static void time_out(Lookup *l) {
        LookupPool *p = l->pool;
        lookup_done done = l->done;
        void *userdata = l->userdata;
        _cleanup_(json_errors_done) JsonErrors errors = {};
        int r, at = __atomic_load_n(&l->at, __ATOMIC_RELAXED);

        take_out(l);
        if (at == LOOKING_AT_NOTHING) /* no thread was free in all that time */
                r = json_errors_add(&errors, "", "The service is busy: looking at paths hangs on %s",
                                strna(p->hangs_on));
        else {
                const JobEndpoint *e =
                                at == LOOKING_AT_DESTINATION ? &l->spec->destination : &l->spec->source;

                r = describe_hang(l, &errors);
                (void) free_and_strdup(&p->hangs_on, endpoint_identity(e));
        }
        (void) give_up(p->core, l);
        done(NULL, NULL, r < 0 ? r : -ETIMEDOUT, &errors, userdata);
}

static void deliver(Lookup *l) {
        take_out(l);
        l->done(l->spec, &l->files, l->result, &l->errors, l->userdata);
        lookup_free(l);
}

static void arm_timer(LookupPool *p, usec_t now) {
        usec_t next = USEC_INFINITY;
        Lookup *l;

        TAILQ_FOREACH(l, &p->pending, in_pending) {
                usec_t order = l->started + ORDER_TIME;

                next = MIN(next, order > now ? order : l->started + p->timeout);
        }
        if (next == USEC_INFINITY)
                (void) sd_event_source_set_enabled(p->timer, SD_EVENT_OFF);
        else {
                (void) sd_event_source_set_time(p->timer, next);
                (void) sd_event_source_set_enabled(p->timer, SD_EVENT_ONESHOT);
        }
}

/* The next that can be told of, or NULL. */
static Lookup *next_event(LookupPool *p, usec_t now) {
        Lookup *l;

        TAILQ_FOREACH(l, &p->pending, in_pending) {
                if (is_done(l) || now >= l->started + p->timeout)
                        return l;
                if (now < l->started + ORDER_TIME)
                        break;
        }
        return NULL;
}

/* (What is told may ask for more, or cancel others.) */
static void dispatch(LookupPool *p) {
        Lookup *l;

        while ((l = next_event(p, now_monotonic()))) {
                if (is_done(l))
                        deliver(l);
                else
                        time_out(l);
        }
        arm_timer(p, now_monotonic());
}

static int on_done(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        uint64_t count;

        if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
                return -errno;
        dispatch(userdata);
        return 0;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        dispatch(userdata);
        return 0;
}

static int refuse_busy(LookupPool *p, JsonErrors *errors) {
        int r;

        if (p->n_pending >= LOOKUPS_MAX)
                r = json_errors_add(errors, "",
                                "The service is busy: too many jobs are being submitted; try again");
        else
                r = json_errors_add(errors, "",
                                "The service is busy: looking at paths hangs on %s, and on others; is the "
                                "server of its file system (NFS) reachable?",
                                strna(p->hangs_on));
        return r < 0 ? r : -EBUSY;
}

static bool all_hang(Core *c) {
        pthread_mutex_lock(&c->lock);
        bool hang = c->n_hanging >= LOOKUP_THREADS_MAX;
        pthread_mutex_unlock(&c->lock);
        return hang;
}

int lookup_start(LookupPool *p, JobSpec *spec, PathRules *rules, lookup_function look, lookup_done done,
                void *userdata, Lookup **ret, JsonErrors *errors) {
        _cleanup_(lookup_freep) Lookup *l = new0(Lookup, 1);
        int r = 0;

        if (!l) {
                job_spec_free(spec);
                path_rules_done(rules);
                return -ENOMEM;
        }
        l->pool = p;
        l->core = p->core;
        l->spec = spec;
        l->rules = *rules;
        *rules = (PathRules){};
        l->rules.at = &l->at;
        l->look = p->override && look ? p->override : look;
        l->done = done;
        l->userdata = userdata;
        l->started = now_monotonic();
        if (p->n_pending >= LOOKUPS_MAX || (look && all_hang(p->core)))
                return refuse_busy(p, errors);
        if (look)
                r = give(p->core, l);
        else {
                pthread_mutex_lock(&p->core->lock);
                finish(p->core, l);
                pthread_mutex_unlock(&p->core->lock);
        }
        if (r < 0)
                return r;
        TAILQ_INSERT_TAIL(&p->pending, l, in_pending);
        p->n_pending++;
        arm_timer(p, l->started);
        *ret = TAKE_PTR(l);
        return 0;
}

Lookup *lookup_cancel(Lookup *l) {
        if (!l)
                return NULL;
        take_out(l);
        (void) give_up(l->core, l);
        return NULL;
}

size_t lookup_pool_pending(const LookupPool *p) {
        return p ? p->n_pending : 0;
}

/* Waits until @core has changed, or @until (monotonic). */
static bool wait_changed(Core *c, usec_t until) {
        const struct timespec t = { .tv_sec = (time_t) (until / USEC_PER_SEC),
                .tv_nsec = (long) (until % USEC_PER_SEC * NSEC_PER_USEC) };

        return pthread_cond_timedwait(&c->changed, &c->lock, &t) == 0;
}

int lookup_exists(LookupPool *p, const char *path) {
        _cleanup_(lookup_freep) Lookup *l = new0(Lookup, 1);
        usec_t until = now_monotonic() + EXISTS_TIME;
        bool done;
        int r;

        if (!l || !(l->path = strdup(path)))
                return -ENOMEM;
        l->core = p->core;
        if (all_hang(p->core))
                return -ETIMEDOUT;
        r = give(p->core, l);
        if (r < 0)
                return r;
        pthread_mutex_lock(&p->core->lock);
        while (l->stage != LOOKUP_DONE && wait_changed(p->core, until))
                ;
        done = l->stage == LOOKUP_DONE;
        r = l->result;
        pthread_mutex_unlock(&p->core->lock);
        if (done)
                return r;
        (void) give_up(p->core, TAKE_PTR(l));
        return -ETIMEDOUT;
}

void lookup_pool_override(LookupPool *p, lookup_function look, usec_t timeout) {
        p->override = look;
        p->timeout = timeout;
}

/* --- owning ---------------------------------------------------------------------------------------- */

static int core_new(Core **ret) {
        pthread_condattr_t attr;
        Core *c = new0(Core, 1);

        if (!c)
                return -ENOMEM;
        c->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (c->fd < 0) {
                int r = -errno;

                free(c);
                return r;
        }
        c->refs = 1;
        TAILQ_INIT(&c->todo);
        (void) pthread_mutex_init(&c->lock, NULL);
        (void) pthread_cond_init(&c->wake, NULL);
        (void) pthread_condattr_init(&attr);
        (void) pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        (void) pthread_cond_init(&c->changed, &attr);
        pthread_condattr_destroy(&attr);
        *ret = c;
        return 0;
}

int lookup_pool_new(sd_event *event, LookupPool **ret) {
        _cleanup_(lookup_pool_freep) LookupPool *p = new0(LookupPool, 1);
        int r;

        if (!p)
                return -ENOMEM;
        TAILQ_INIT(&p->pending);
        p->timeout = LOOKUP_TIMEOUT;
        p->event = sd_event_ref(event);
        r = core_new(&p->core);
        if (r >= 0)
                r = sd_event_add_io(event, &p->source, p->core->fd, EPOLLIN, on_done, p);
        if (r >= 0)
                r = sd_event_add_time(event, &p->timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_timer, p);
        if (r >= 0)
                r = sd_event_source_set_enabled(p->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

LookupPool *lookup_pool_free(LookupPool *p) {
        usec_t until = now_monotonic() + EXISTS_TIME;

        if (!p)
                return NULL;
        while (!TAILQ_EMPTY(&p->pending))
                lookup_cancel(TAILQ_FIRST(&p->pending));
        sd_event_source_disable_unref(p->source);
        sd_event_source_disable_unref(p->timer);
        if (p->core) {
                pthread_mutex_lock(&p->core->lock);
                p->core->quit = true;
                pthread_cond_broadcast(&p->core->wake);
                /* Those that do not hang end at once. */
                while (p->core->n_threads > 0 && wait_changed(p->core, until))
                        ;
                core_unref_unlock(p->core);
        }
        sd_event_unref(p->event);
        free(p->hangs_on);
        return mfree(p);
}
