/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/caller-login.h"

#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "basic/string-util.h"
#include "basic/time-util.h"
#include "manager/idle.h"
#include "manager/manager.h"

#define LOGIND "org.freedesktop.login1"
#define LOGIND_PATH "/org/freedesktop/login1"
/* Then it is not known. */
#define LOGIND_TIMEOUT (5 * USEC_PER_SEC)
#define PENDING_MAX 64u

/* It outlives the answer until the message has been handled for the second time. */
typedef struct Question {
        CallerLogins *logins;
        sd_bus_message *request;
        sd_bus_slot *slot;
        bool answered;
        char *user, *session; /* the answer */
        sd_event_source *cleanup;
        TAILQ_ENTRY(Question) entries;
} Question;

struct CallerLogins {
        Manager *manager;
        TAILQ_HEAD(, Question) questions;
        /* The session of a process does not change: that of the client that was found last. */
        char *sender; /* its unique name, which no other will have */
        char *user, *session;
};

static Question *question_free(Question *q) {
        if (!q)
                return NULL;
        if (q->logins) {
                TAILQ_REMOVE(&q->logins->questions, q, entries);
                q->logins->manager->n_calls_pending--;
        }
        sd_bus_slot_unref(q->slot);
        sd_bus_message_unref(q->request);
        sd_event_source_disable_unref(q->cleanup);
        free(q->user);
        free(q->session);
        return mfree(q);
}
DEFINE_CLEANUP_FUNC(Question *, question_free);

CallerLogins *caller_logins_free(CallerLogins *l) {
        if (!l)
                return NULL;
        while (!TAILQ_EMPTY(&l->questions))
                question_free(TAILQ_FIRST(&l->questions));
        free(l->sender);
        free(l->user);
        free(l->session);
        return mfree(l);
}

static int on_cleanup(sd_event_source *source, void *userdata) {
        Question *q = userdata;
        Manager *m = q->logins->manager;

        question_free(q);
        idle_lookup_done(m);
        return 0;
}

/* Has the message handled again. Without memory, it is not known who it was. */
static int question_end(Question *q, const char *session, const char *user) {
        sd_bus *bus = sd_bus_message_get_bus(q->request);
        int r;

        q->answered = true;
        q->session = session ? strdup(session) : NULL;
        q->user = user ? strdup(user) : NULL;
        r = sd_event_add_defer(sd_bus_get_event(bus), &q->cleanup, on_cleanup, q);
        if (r >= 0)
                r = sd_event_source_set_priority(q->cleanup, SD_EVENT_PRIORITY_IDLE);
        if (r >= 0)
                r = sd_bus_message_rewind(q->request, true);
        if (r >= 0)
                r = sd_bus_enqueue_for_read(bus, q->request);
        if (r < 0) {
                (void) sd_bus_reply_method_errno(q->request, r, NULL);
                question_free(q);
        }
        return 0;
}

/* All properties of the session. */
static int on_session(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const char *key, *id = NULL, *name = NULL;
        Question *q = userdata;
        int r = sd_bus_message_is_method_error(reply, NULL)
                        ? -ENXIO
                        : sd_bus_message_enter_container(reply, 'a', "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                r = sd_bus_message_read(reply, "s", &key);
                if (r >= 0)
                        r = streq(key, "Id")                 ? sd_bus_message_read(reply, "v", "s", &id)
                                        : streq(key, "Name") ? sd_bus_message_read(reply, "v", "s", &name)
                                                             : sd_bus_message_skip(reply, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        return question_end(q, r < 0 ? NULL : id, r < 0 ? NULL : name);
}

static int on_path(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        Question *q = userdata;
        const char *path;

        q->slot = sd_bus_slot_unref(q->slot);
        if (sd_bus_message_is_method_error(reply, NULL) || sd_bus_message_read(reply, "o", &path) < 0 ||
                        sd_bus_call_method_async(sd_bus_message_get_bus(reply), &q->slot, LOGIND, path,
                                        "org.freedesktop.DBus.Properties", "GetAll", on_session, q, "s",
                                        LOGIND ".Session") < 0)
                return question_end(q, NULL, NULL);
        return 0;
}

/* logind is not started for this. */
static int ask(Question *q, pid_t pid) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        sd_bus *bus = sd_bus_message_get_bus(q->request);
        int r = sd_bus_message_new_method_call(
                        bus, &m, LOGIND, LOGIND_PATH, LOGIND ".Manager", "GetSessionByPID");

        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, false);
        if (r >= 0)
                r = sd_bus_message_append(m, "u", (uint32_t) pid);
        return r < 0 ? r : sd_bus_call_async(bus, &q->slot, m, on_path, q, LOGIND_TIMEOUT);
}

static int pid_of_sender(sd_bus_message *m, pid_t *ret) {
        _cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
        int r = sd_bus_query_sender_creds(m, SD_BUS_CREDS_PID, &creds);

        return r < 0 ? r : sd_bus_creds_get_pid(creds, ret);
}

static int start(CallerLogins *l, sd_bus_message *m) {
        _cleanup_(question_freep) Question *q = NULL;
        pid_t pid;

        if (l->manager->n_calls_pending >= PENDING_MAX || pid_of_sender(m, &pid) < 0)
                return -EBUSY;
        q = new0(Question, 1);
        if (!q)
                return -ENOMEM;
        q->request = sd_bus_message_ref(m);
        int r = ask(q, pid);
        if (r < 0)
                return r;
        q->logins = l;
        l->manager->n_calls_pending++;
        TAILQ_INSERT_TAIL(&l->questions, q, entries);
        TAKE_PTR(q);
        return 0;
}

/* What was answered is remembered. */
static void take_answer(CallerLogins *l, Question *q) {
        free(l->sender);
        free(l->user);
        free(l->session);
        l->sender = strdup(sd_bus_message_get_sender(q->request)); /* without memory it is asked again */
        l->user = TAKE_PTR(q->user);
        l->session = TAKE_PTR(q->session);
        q->answered = false;
}

static CallerLogins *caller_logins_new(Manager *m) {
        CallerLogins *l = new0(CallerLogins, 1);

        if (!l)
                return NULL;
        TAILQ_INIT(&l->questions);
        l->manager = m;
        return l;
}

int caller_login_find(Manager *manager, sd_bus_message *m, CallerLogin *ret) {
        const char *sender = sd_bus_message_get_sender(m);
        CallerLogins *l;
        Question *q;
        int r;

        if (!manager->logins && !(manager->logins = caller_logins_new(manager)))
                return -ENOMEM;
        l = manager->logins;
        TAILQ_FOREACH(q, &l->questions, entries)
                if (q->request == m && q->answered)
                        break;
        if (q)
                take_answer(l, q);
        if (q || (sender && streq_ptr(l->sender, sender))) {
                *ret = (CallerLogin){ .user = l->user, .session = l->session };
                return 1;
        }
        r = sender ? start(l, m) : -EBUSY;
        if (r >= 0)
                return 0;
        *ret = (CallerLogin){};
        return r == -ENOMEM ? r : 1;
}
