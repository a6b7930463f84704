/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "basic/string-util.h"
#include "basic/time-util.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"

/* A person may have to type a password. */
#define POLKIT_TIMEOUT (120 * USEC_PER_SEC)
#define PENDING_MAX 512
/* What was allowed to a client without a question to a person is not asked again for so long: hyper-apid
 * calls some thousand times a second, and polkit answers some hundred times. */
#define GRANT_TIME USEC_PER_SEC
#define GRANTS_MAX 64u

#define POLKIT_ALLOW_USER_INTERACTION 1u

char *job_bus_path(const char *job_id) {
        char *path;

        return sd_bus_path_encode(HYPER_JOB_PATH_PREFIX, job_id, &path) < 0 ? NULL : path;
}

char *schedule_bus_path(const char *schedule_id) {
        char *path = NULL;

        return sd_bus_path_encode(HYPER_SCHEDULE_PATH_PREFIX, schedule_id, &path) < 0 ? NULL : path;
}

/* One question to polkit. It outlives the answer until the message has been handled for the second time. */
typedef struct Query {
        PolkitRegistry *registry;
        sd_bus_message *request;
        char *action;
        sd_bus_slot *slot;
        sd_bus_message *reply;
        sd_event_source *cleanup;
        TAILQ_ENTRY(Query) entries;
} Query;

/* A client of the bus (its unique name, which no other will have) may do this. */
typedef struct Grant {
        char *sender, *action;
        usec_t until; /* monotonic */
        TAILQ_ENTRY(Grant) entries;
} Grant;

struct PolkitRegistry {
        TAILQ_HEAD(, Query) queries;
        size_t n;
        TAILQ_HEAD(GrantList, Grant) grants; /* those that end first are first */
        unsigned n_grants;
};

static void grant_end(PolkitRegistry *r, Grant *g) {
        TAILQ_REMOVE(&r->grants, g, entries);
        r->n_grants--;
        free(g->sender);
        free(g->action);
        free(g);
}

/* A person who can be asked is: what is allowed after a password may be allowed only once. */
static bool is_interactive(sd_bus_message *m) {
        return sd_bus_message_get_allow_interactive_authorization(m) != 0;
}

/* No memory is no harm: then it is asked again. */
static void grant_add(PolkitRegistry *r, sd_bus_message *m, const char *action) {
        const char *sender = sd_bus_message_get_sender(m);
        Grant *g;

        if (!sender || is_interactive(m) || !(g = new0(Grant, 1)))
                return;
        g->sender = strdup(sender);
        g->action = strdup(action);
        g->until = now_monotonic() + GRANT_TIME;
        TAILQ_INSERT_TAIL(&r->grants, g, entries);
        if (++r->n_grants > GRANTS_MAX || !g->sender || !g->action)
                grant_end(r, g->sender && g->action ? TAILQ_FIRST(&r->grants) : g);
}

static bool grant_find(PolkitRegistry *r, sd_bus_message *m, const char *action) {
        const char *sender = sd_bus_message_get_sender(m);
        usec_t now = now_monotonic();
        Grant *g;

        while ((g = TAILQ_FIRST(&r->grants)) && g->until <= now)
                grant_end(r, g);
        if (!sender || is_interactive(m))
                return false;
        TAILQ_FOREACH(g, &r->grants, entries)
                if (streq(g->sender, sender) && streq(g->action, action))
                        return true;
        return false;
}

static Query *query_free(Query *q) {
        if (!q)
                return NULL;
        if (q->registry) {
                TAILQ_REMOVE(&q->registry->queries, q, entries);
                q->registry->n--;
        }
        sd_bus_slot_unref(q->slot);
        sd_bus_message_unref(q->request);
        sd_bus_message_unref(q->reply);
        sd_event_source_disable_unref(q->cleanup);
        free(q->action);
        return mfree(q);
}
DEFINE_CLEANUP_FUNC(Query *, query_free);

PolkitRegistry *bus_polkit_registry_free(PolkitRegistry *r) {
        while (r && !TAILQ_EMPTY(&r->queries))
                query_free(TAILQ_FIRST(&r->queries));
        while (r && !TAILQ_EMPTY(&r->grants))
                grant_end(r, TAILQ_FIRST(&r->grants));
        return mfree(r);
}

size_t bus_polkit_pending(const PolkitRegistry *r) {
        return r ? r->n : 0;
}

static int on_cleanup(sd_event_source *source, void *userdata) {
        query_free(userdata);
        return 0;
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        sd_bus *bus = sd_bus_message_get_bus(reply);
        Query *q = userdata;
        int r;

        q->slot = sd_bus_slot_unref(q->slot);
        q->reply = sd_bus_message_ref(reply);

        /* The message goes through everything once more: meanwhile what it is about may have changed or
         * gone. When the loop has nothing else to do it has been handled, whether it came by here or not. */
        r = sd_event_add_defer(sd_bus_get_event(bus), &q->cleanup, on_cleanup, q);
        if (r >= 0)
                r = sd_event_source_set_priority(q->cleanup, SD_EVENT_PRIORITY_IDLE);
        if (r >= 0)
                r = sd_bus_message_rewind(q->request, true);
        if (r >= 0)
                r = sd_bus_enqueue_for_read(bus, q->request);
        if (r < 0) {
                (void) sd_bus_reply_method_errno(q->request, r, NULL);
                query_free(q);
        }
        return r;
}

static int refuse(sd_bus_error *error, const char *action, const char *why) {
        return bus_error_setf(error, HYPER_BUS_ERROR_ACCESS_DENIED, "Not allowed (%s): %s", action, why);
}

static int judge(sd_bus_message *reply, const char *action, sd_bus_error *error) {
        int authorized, challenge, r;

        if (sd_bus_message_is_method_error(reply, NULL))
                return refuse(error, action, "polkit does not respond; root does not require it");
        r = sd_bus_message_rewind(reply, true);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
        if (r >= 0)
                r = sd_bus_message_read(reply, "bb", &authorized, &challenge);
        if (r < 0)
                return refuse(error, action, "the reply of polkit is malformed");
        if (authorized)
                return 1;
        return refuse(error, action,
                        challenge ? "a password is required, and cannot be asked for here"
                                  : "polkit does not permit it");
}

static int make_question(sd_bus_message *m, const char *action, sd_bus_message **ret) {
        uint32_t flags = sd_bus_message_get_allow_interactive_authorization(m) > 0
                        ? POLKIT_ALLOW_USER_INTERACTION
                        : 0;
        sd_bus_message *question = NULL;
        int r;

        r = sd_bus_message_new_method_call(sd_bus_message_get_bus(m), &question,
                        "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
                        "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization");
        if (r >= 0)
                r = sd_bus_message_append(question, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s",
                                sd_bus_message_get_sender(m), action, 0, flags, "");
        if (r < 0) {
                sd_bus_message_unref(question);
                return r;
        }
        *ret = question;
        return 0;
}

static int ask(PolkitRegistry *registry, sd_bus_message *m, const char *action) {
        _cleanup_(query_freep) Query *q = new0(Query, 1);
        sd_bus *bus = sd_bus_message_get_bus(m);
        sd_bus_message *question;
        int r;

        if (!q)
                return -ENOMEM;
        if (!sd_bus_get_event(bus))
                return -EINVAL;
        q->action = strdup(action);
        if (!q->action)
                return -ENOMEM;
        q->request = sd_bus_message_ref(m);
        r = make_question(m, action, &question);
        if (r < 0)
                return r;
        r = sd_bus_call_async(bus, &q->slot, question, on_answer, q, POLKIT_TIMEOUT);
        sd_bus_message_unref(question);
        if (r < 0)
                return r;
        q->registry = registry;
        registry->n++;
        TAILQ_INSERT_TAIL(&registry->queries, q, entries);
        TAKE_PTR(q);
        return 0;
}

int bus_verify_polkit(
                sd_bus_message *m, const char *action, PolkitRegistry **registry, sd_bus_error *error) {
        Query *q;
        int r;

        if (!*registry) {
                *registry = new0(PolkitRegistry, 1);
                if (!*registry)
                        return -ENOMEM;
                TAILQ_INIT(&(*registry)->queries);
                TAILQ_INIT(&(*registry)->grants);
        }
        TAILQ_FOREACH(q, &(*registry)->queries, entries)
                if (q->request == m && q->reply && streq(q->action, action)) {
                        r = judge(q->reply, action, error);
                        if (r > 0)
                                grant_add(*registry, m, action);
                        return r;
                }
        if (grant_find(*registry, m, action))
                return 1;

        r = sd_bus_query_sender_privilege(m, -1);
        if (r > 0) {
                grant_add(*registry, m, action);
                return 1;
        }
        if (r < 0) /* gone, most likely */
                return refuse(error, action, "the caller is unknown, or has disconnected");
        if ((*registry)->n >= PENDING_MAX)
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                                "Too many requests are waiting for polkit; try again later.");
        return ask(*registry, m, action);
}
