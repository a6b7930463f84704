/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphered/server.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "vsphered/session-store.h"

/* Servers lock accounts after a few wrong passwords, so a refused login is not tried again at once. */
#define REFUSAL_KEPT USEC_PER_MINUTE
#define LOGOUT_PATIENCE (10 * USEC_PER_SEC)

typedef struct Server {
        Servers *servers;
        char name[32]; /* of its session in the store */
        Login login;
        pthread_t thread;
        pthread_cond_t wake;
        int cancel_fd; /* readable: the running task has to end */

        /* Under Servers.lock */
        Task *first, *running;
        unsigned n_tasks;
        bool stopping; /* no more tasks: log out, and end */
        bool ended;

        /* The thread's own */
        Session *session;
        usec_t refused_at;
        char *refusal;
        VmListings listings;

        struct Server *next;
} Server;

struct Servers {
        sd_event *event;
        sd_event_source *source;
        ServersOptions options;
        int fd; /* readable: a task is done, or a thread has ended */
        pthread_mutex_t lock;
        pthread_cond_t ended;
        Server *first;
        Task *done;
        unsigned n_servers, n_sessions;
};

/* --- the thread ------------------------------------------------------------------------------------ */

static void notify(int fd) {
        uint64_t one = 1;

        if (write(fd, &one, sizeof(one)) < 0)
                log_debug("An event could not be signalled.");
}

static void drain(int fd) {
        uint64_t n;

        if (read(fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
                log_debug("An event could not be read.");
}

static void deadline_after(struct timespec *ret, usec_t span) {
        usec_t t = now_monotonic() + span;

        *ret = (struct timespec){ .tv_sec = (time_t) (t / USEC_PER_SEC),
                .tv_nsec = (long) (t % USEC_PER_SEC * NSEC_PER_USEC) };
}

static void count_session(Server *s, int n) {
        pthread_mutex_lock(&s->servers->lock);
        s->servers->n_sessions = (unsigned) ((int) s->servers->n_sessions + n);
        pthread_mutex_unlock(&s->servers->lock);
}

/* Also after a renewal. */
static void on_logged_in(void *userdata) {
        Server *s = userdata;

        session_store_put(s->name, &s->login, soap_cookie(session_soap(s->session)));
}

static int log_in(Server *s, char **ret_error) {
        const SessionOptions options = {
                .server = { .url = s->login.url,
                                .ca = isempty(s->login.ca) ? NULL : s->login.ca,
                                .thumbprint = isempty(s->login.thumbprint) ? NULL : s->login.thumbprint,
                                .cancel_fd = s->cancel_fd },
                .username = s->login.username,
                .password = s->login.password,
                /* Somebody waits for the answer. */
                .retries = 1,
                .logged_in = on_logged_in,
                .userdata = s,
        };
        int r;

        if (s->refusal && now_monotonic() < s->refused_at + REFUSAL_KEPT) {
                *ret_error = strdup(s->refusal);
                return -EACCES;
        }
        s->refusal = mfree(s->refusal);
        s->session = session_free(s->session);
        r = session_new(&options, &s->session, ret_error);
        if (r < 0)
                return r;
        r = session_login(s->session);
        if (r >= 0) {
                count_session(s, 1);
                return 0;
        }
        *ret_error = strdup(session_error(s->session));
        if (r == -EACCES) {
                s->refused_at = now_monotonic();
                s->refusal = strdup(session_error(s->session));
        }
        return r;
}

static void log_out(Server *s) {
        if (!s->session)
                return;
        if (session_is_open(s->session)) {
                session_logout(s->session);
                count_session(s, -1);
        }
        session_store_remove(s->name);
        s->session = session_free(s->session);
}

VmListings *task_listings(const Task *t) {
        return &t->server->listings;
}

static int execute(Server *s, Task *t) {
        bool open = s->session && session_is_open(s->session);
        int r;

        vm_listings_expire(&s->listings, now_monotonic());
        r = open ? 0 : log_in(s, &t->error);
        if (r < 0)
                return r;
        r = t->run(t, s->session);
        if (r < 0 && !t->error)
                t->error = strdup(session_error(s->session));
        if (!session_is_open(s->session))
                count_session(s, -1);
        return r;
}

/* Waits for a task, under the lock. NULL: the thread is to end. */
static Task *next_task(Server *s) {
        struct timespec deadline;

        deadline_after(&deadline, s->servers->options.session_idle);
        while (!s->first && !s->stopping)
                if (pthread_cond_timedwait(&s->wake, &s->servers->lock, &deadline) == ETIMEDOUT)
                        break;
        if (!s->first || s->stopping)
                return NULL;
        Task *t = s->first;
        s->first = t->next;
        s->running = t;
        return t;
}

static void *run_server(void *userdata) {
        Server *s = userdata;
        Servers *all = s->servers;
        Task *t;

        pthread_mutex_lock(&all->lock);
        while ((t = next_task(s))) {
                pthread_mutex_unlock(&all->lock);
                int r = execute(s, t);
                pthread_mutex_lock(&all->lock);
                t->result = r;
                s->running = NULL;
                /* A task that was given up has left this behind. */
                drain(s->cancel_fd);
                t->next = all->done;
                all->done = t;
                notify(all->fd);
        }
        /* From here on, the loop starts another thread for this login. */
        s->stopping = true;
        pthread_mutex_unlock(&all->lock);
        log_out(s);
        pthread_mutex_lock(&all->lock);
        s->ended = true;
        pthread_cond_broadcast(&all->ended);
        notify(all->fd);
        pthread_mutex_unlock(&all->lock);
        return NULL;
}

/* --- the loop -------------------------------------------------------------------------------------- */

static Server *server_free(Server *s) {
        if (!s)
                return NULL;
        login_done(&s->login);
        free(s->refusal);
        vm_listings_done(&s->listings);
        safe_close(s->cancel_fd);
        pthread_cond_destroy(&s->wake);
        return mfree(s);
}
DEFINE_CLEANUP_FUNC(Server *, server_free);

static int copy_login(Login *to, const Login *from) {
        const struct {
                char **to;
                const char *from;
        } texts[] = { { &to->url, from->url }, { &to->username, from->username },
                { &to->password, from->password }, { &to->ca, from->ca },
                { &to->thumbprint, from->thumbprint } };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                *texts[i].to = strdup(strempty(texts[i].from));
                if (!*texts[i].to)
                        return -ENOMEM;
        }
        return 0;
}

static void init_cond(pthread_cond_t *cond) {
        pthread_condattr_t attributes;

        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(cond, &attributes);
        pthread_condattr_destroy(&attributes);
}

static int server_new(Servers *all, const Login *login, Server **ret) {
        _cleanup_(server_freep) Server *s = new0(Server, 1);
        static unsigned n;
        int r;

        if (!s)
                return -ENOMEM;
        s->servers = all;
        (void) snprintf(s->name, sizeof(s->name), "%u-%u", (unsigned) getpid(), n++);
        init_cond(&s->wake);
        s->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (s->cancel_fd < 0)
                return -errno;
        r = copy_login(&s->login, login);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

/* Removes the servers whose threads have ended. */
static void reap(Servers *all) {
        bool had = all->n_servers > 0;

        for (Server **p = &all->first; *p;) {
                Server *s = *p;

                pthread_mutex_lock(&all->lock);
                bool ended = s->ended;
                pthread_mutex_unlock(&all->lock);
                if (!ended) {
                        p = &s->next;
                        continue;
                }
                *p = s->next;
                all->n_servers--;
                (void) pthread_join(s->thread, NULL);
                server_free(s);
        }
        if (had && all->n_servers == 0 && all->options.on_idle)
                all->options.on_idle(all->options.userdata);
}

static void finish(Task *t) {
        if (!t->given_up)
                t->done(t, t->result);
        t->free(t);
}

static void finish_done(Servers *all) {
        Task *list, *first = NULL;

        pthread_mutex_lock(&all->lock);
        list = TAKE_PTR(all->done);
        pthread_mutex_unlock(&all->lock);
        /* The last one was put in front. */
        while (list) {
                Task *t = list;

                list = t->next;
                t->next = first;
                first = t;
        }
        while (first) {
                Task *t = first;

                first = t->next;
                t->server->n_tasks--;
                finish(t);
        }
}

static int on_event(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Servers *all = userdata;

        drain(fd);
        finish_done(all);
        reap(all);
        return 0;
}

int servers_new(const ServersOptions *options, Servers **ret) {
        _cleanup_(servers_freep) Servers *all = new0(Servers, 1);
        int r;

        if (!all)
                return -ENOMEM;
        pthread_mutex_init(&all->lock, NULL);
        init_cond(&all->ended);
        all->options = *options;
        all->event = sd_event_ref(options->event);
        all->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (all->fd < 0)
                return -errno;
        r = sd_event_add_io(all->event, &all->source, all->fd, EPOLLIN, on_event, all);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(all);
        return 0;
}

static Server *find(Servers *all, const Login *login) {
        for (Server *s = all->first; s; s = s->next)
                if (!s->stopping && login_equal(&s->login, login))
                        return s;
        return NULL;
}

static void append(Server *s, Task *t) {
        Task **p = &s->first;

        while (*p)
                p = &(*p)->next;
        t->next = NULL;
        *p = t;
        t->server = s;
        s->n_tasks++;
        pthread_cond_signal(&s->wake);
}

int servers_run(Servers *all, const Login *login, Task *t) {
        _cleanup_(server_freep) Server *fresh = NULL;
        Server *s;
        int r;

        pthread_mutex_lock(&all->lock);
        s = find(all, login);
        if (s && s->n_tasks < TASKS_MAX)
                append(s, t);
        pthread_mutex_unlock(&all->lock);
        if (s)
                return t->server == s ? 0 : -EBUSY;
        if (all->n_servers >= SERVERS_MAX)
                return -EBUSY;
        r = server_new(all, login, &fresh);
        if (r < 0)
                return r;
        append(fresh, t);
        r = pthread_create(&fresh->thread, NULL, run_server, fresh);
        if (r != 0) {
                t->server = NULL;
                return -r;
        }
        s = TAKE_PTR(fresh);
        s->next = all->first;
        all->first = s;
        all->n_servers++;
        return 0;
}

/* Takes a task that has not begun out of the queue; false if it has. */
static bool unqueue(Server *s, Task *t) {
        for (Task **p = &s->first; *p; p = &(*p)->next)
                if (*p == t) {
                        *p = t->next;
                        s->n_tasks--;
                        return true;
                }
        return false;
}

void servers_give_up(Servers *all, Task *t, int r) {
        Server *s = t->server;

        if (t->given_up)
                return;
        pthread_mutex_lock(&all->lock);
        bool queued = unqueue(s, t);
        if (s->running == t)
                notify(s->cancel_fd);
        pthread_mutex_unlock(&all->lock);
        t->given_up = true;
        t->done(t, r);
        if (queued)
                t->free(t);
}

unsigned servers_count(const Servers *s) {
        return s->n_servers;
}

unsigned servers_sessions(const Servers *s) {
        Servers *all = (Servers *) s;
        unsigned n;

        pthread_mutex_lock(&all->lock);
        n = all->n_sessions;
        pthread_mutex_unlock(&all->lock);
        return n;
}

/* Waits until all threads have logged out, under the lock. */
static bool wait_for_threads(Servers *all) {
        struct timespec deadline;

        deadline_after(&deadline, LOGOUT_PATIENCE);
        for (Server *s = all->first; s; s = s->next)
                while (!s->ended)
                        if (pthread_cond_timedwait(&all->ended, &all->lock, &deadline) == ETIMEDOUT)
                                return false;
        return true;
}

static void give_up_all(Servers *all) {
        for (Server *s = all->first; s; s = s->next) {
                pthread_mutex_lock(&all->lock);
                Task *running = s->running, *first = s->first;
                pthread_mutex_unlock(&all->lock);

                if (running)
                        servers_give_up(all, running, -ECANCELED);
                for (; first; first = s->first)
                        servers_give_up(all, first, -ECANCELED);
        }
}

Servers *servers_free(Servers *all) {
        if (!all)
                return NULL;
        sd_event_source_disable_unref(all->source);
        all->options.on_idle = NULL;
        give_up_all(all);
        pthread_mutex_lock(&all->lock);
        for (Server *s = all->first; s; s = s->next) {
                s->stopping = true;
                pthread_cond_signal(&s->wake);
        }
        bool ended = wait_for_threads(all);
        pthread_mutex_unlock(&all->lock);
        if (!ended) {
                /* What the threads still use stays; the process ends. */
                log_warning("A server did not answer the logout in time.");
                return NULL;
        }
        finish_done(all);
        reap(all);
        sd_event_unref(all->event);
        safe_close(all->fd);
        pthread_cond_destroy(&all->ended);
        pthread_mutex_destroy(&all->lock);
        return mfree(all);
}
