/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphered/call.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"

#define SOURCE_MAX ((size_t) 128 * 1024)
#define LOGIN_TIMEOUT (25 * USEC_PER_SEC)

/* --- errors ---------------------------------------------------------------------------------------- */

static const struct {
        int error;
        const char *name;
} names[] = {
        { EACCES, HYPER_BUS_ERROR_LOGIN_REFUSED },
        { EKEYREJECTED, HYPER_BUS_ERROR_CERTIFICATE_REFUSED },
        { EPERM, HYPER_BUS_ERROR_SERVER_DENIED },
        { ENOENT, HYPER_BUS_ERROR_NO_SUCH_SOURCE_VM },
        { ENOTUNIQ, HYPER_BUS_ERROR_AMBIGUOUS_VM },
        { EBADFD, HYPER_BUS_ERROR_WRONG_STATE },
        { EBUSY, HYPER_BUS_ERROR_UNAVAILABLE },
        { ETIMEDOUT, HYPER_BUS_ERROR_SERVER_TIMEOUT },
        { ECONNREFUSED, HYPER_BUS_ERROR_SERVER_UNREACHABLE },
        { ECONNRESET, HYPER_BUS_ERROR_SERVER_UNREACHABLE },
        { EHOSTUNREACH, HYPER_BUS_ERROR_SERVER_UNREACHABLE },
        { ECANCELED, HYPER_BUS_ERROR_UNAVAILABLE },
        { EINVAL, HYPER_BUS_ERROR_INVALID_ARGUMENT },
};

static const char *error_name(int r) {
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (names[i].error == -r)
                        return names[i].name;
        return HYPER_BUS_ERROR_VSPHERE;
}

/* The host without "https://", or the name that the client has used. */
static const char *server_name(const Call *c) {
        const char *host = startswith(strempty(c->login.url), "https://");

        return c->login.name ?: strna(host);
}

static void reply_error(Call *c, int r) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        char span[TIMESPAN_SIZE];

        if (r == -ETIMEDOUT && c->task.given_up)
                (void) bus_error_setf(&error, error_name(r), "Server %s did not answer within %s",
                                server_name(c), format_timespan(span, c->daemon->call_timeout));
        else if (c->cancelled)
                (void) bus_error_setf(&error, error_name(r), "The call was cancelled");
        else if (r == -ECANCELED)
                (void) bus_error_setf(&error, error_name(r), "hyper-vsphered is being stopped; try again");
        else
                (void) bus_error_setf(&error, error_name(r), "Server %s: %s", server_name(c),
                                isempty(c->task.error) ? strerror(-r) : c->task.error);
        (void) sd_bus_reply_method_error(c->message, &error);
}

static int reply_results(const Call *c) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(c->message, &reply);

        if (r >= 0)
                r = c->kind->append(c, reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* --- the life of a call ---------------------------------------------------------------------------- */

static void unlink_call(Call *c) {
        if (c->daemon->calls != c && !c->previous)
                return;
        if (c->previous)
                c->previous->next = c->next;
        else
                c->daemon->calls = c->next;
        if (c->next)
                c->next->previous = c->previous;
        c->previous = c->next = NULL;
}

/* What belongs to the loop. The thread may still use the rest. */
static void settle(Call *c) {
        Vsphered *v = c->daemon;

        unlink_call(c);
        c->timeout = sd_event_source_disable_unref(c->timeout);
        c->client = sd_bus_track_unref(c->client);
        c->login_call = sd_bus_slot_unref(c->login_call);
        c->message = sd_bus_message_unref(c->message);
        v->settled(v);
}

Call *call_free(Call *c) {
        if (!c)
                return NULL;
        settle(c);
        login_done(&c->login);
        vm_filter_done(&c->filter);
        free(c->task.error);
        vm_cursor_done(&c->cursor);
        free(c->vm);
        free(c->filter_text);
        strv_free(c->vms);
        free(c->text);
        free(c->next_cursor);
        return mfree(c);
}

static int task_run(Task *t, Session *s) {
        Call *c = CONTAINER_OF(t, Call, task);

        return c->kind->run(c, s);
}

static void task_done(Task *t, int r) {
        Call *c = CONTAINER_OF(t, Call, task);

        if (r >= 0)
                r = reply_results(c);
        if (r < 0)
                reply_error(c, r);
        settle(c);
}

static void task_free(Task *t) {
        call_free(CONTAINER_OF(t, Call, task));
}

static void give_up(Call *c, int r) {
        if (c->in_thread) {
                servers_give_up(c->daemon->servers, &c->task, r);
                return;
        }
        c->task.given_up = true;
        reply_error(c, r);
        call_free(c);
}

static int on_timeout(sd_event_source *s, uint64_t usec, void *userdata) {
        give_up(userdata, -ETIMEDOUT);
        return 0;
}

static int on_client_gone(sd_bus_track *track, void *userdata) {
        log_debug("A client is gone; its call is given up.");
        give_up(userdata, -ECANCELED);
        return 0;
}

static bool is_message(const Call *c, const char *sender, uint64_t cookie) {
        uint64_t k;

        return c->message && sd_bus_message_get_cookie(c->message, &k) >= 0 && k == cookie &&
                        streq_ptr(sd_bus_message_get_sender(c->message), sender);
}

void calls_cancel(Vsphered *v, const char *sender, uint64_t cookie) {
        for (Call *c = v->calls; c; c = c->next)
                if (is_message(c, sender, cookie)) {
                        c->cancelled = true;
                        give_up(c, -ECANCELED);
                        return;
                }
}

int call_new(Vsphered *v, const CallKind *kind, sd_bus_message *message, const char *source,
                JsonErrors *fields, sd_bus_error *error, Call **ret) {
        _cleanup_(call_freep) Call *c = new0(Call, 1);
        int r;

        if (!c)
                return -ENOMEM;
        c->task = (Task){ .run = task_run, .done = task_done, .free = task_free };
        c->daemon = v;
        c->kind = kind;
        c->filter.power = -1;
        c->message = sd_bus_message_ref(message);
        if (strlen(source) > SOURCE_MAX)
                return bus_error_setf(error, HYPER_BUS_ERROR_TOO_LARGE,
                                "The source must be at most %zu bytes long", SOURCE_MAX);
        r = login_decode(source, &c->login, fields);
        if (r == -EBADMSG)
                return bus_error_set_fields(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, fields);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

static int enter_thread(Call *c, sd_bus_error *error) {
        int r = servers_run(c->daemon->servers, &c->login, &c->task);

        if (r == -EBUSY)
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                                "Too many calls wait for %s, or for too many servers; try again",
                                server_name(c));
        c->in_thread = r >= 0;
        return r;
}

static int take_login(Call *c, sd_bus_message *reply) {
        const char *url, *username, *password, *datacenter, *ca, *thumbprint;
        int r = sd_bus_message_read(
                        reply, "ssssss", &url, &username, &password, &datacenter, &ca, &thumbprint);

        const struct {
                char **to;
                const char *from;
        } texts[] = { { &c->login.url, url }, { &c->login.username, username },
                { &c->login.password, password }, { &c->login.ca, ca },
                { &c->login.thumbprint, thumbprint } };

        for (size_t i = 0; i < ELEMENTSOF(texts) && r >= 0; i++)
                r = free_and_strdup(texts[i].to, texts[i].from);
        if (r >= 0 && !c->login.datacenter)
                r = free_and_strdup(&c->login.datacenter, datacenter);
        return r;
}

/* The answer of hyper-managerd. */
static int on_login(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Call *c = userdata;
        int r;

        c->login_call = sd_bus_slot_unref(c->login_call);
        if (sd_bus_message_is_method_error(reply, NULL) > 0) {
                (void) sd_bus_reply_method_error(c->message, sd_bus_message_get_error(reply));
                call_free(c);
                return 0;
        }
        r = take_login(c, reply);
        if (r >= 0)
                r = enter_thread(c, &error);
        if (r >= 0)
                return 0;
        (void) sd_bus_reply_method_errno(c->message, r, &error);
        call_free(c);
        return 0;
}

static int ask_for_login(Call *c) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r = sd_bus_message_new_method_call(c->daemon->bus, &m, HYPER_BUS_NAME, HYPER_BUS_PATH,
                        HYPER_SOURCES_INTERFACE, "GetLogin");

        if (r >= 0)
                r = sd_bus_message_append(m, "s", c->login.name);
        return r < 0 ? r : sd_bus_call_async(c->daemon->bus, &c->login_call, m, on_login, c, LOGIN_TIMEOUT);
}

/* Notices when the client leaves the bus. */
static int watch_client(Call *c) {
        int r = sd_bus_track_new(c->daemon->bus, &c->client, on_client_gone, c);

        return r < 0 ? r : sd_bus_track_add_sender(c->client, c->message);
}

int call_start(Call *c, sd_bus_error *error) {
        Vsphered *v = c->daemon;
        int r = watch_client(c);

        if (r >= 0)
                r = sd_event_add_time_relative(v->event, &c->timeout, CLOCK_MONOTONIC, v->call_timeout,
                                USEC_PER_SEC / 4, on_timeout, c);
        if (r >= 0)
                r = c->login.name ? ask_for_login(c) : enter_thread(c, error);
        if (r < 0) {
                call_free(c);
                return r;
        }
        v->n_calls++;
        c->next = v->calls;
        if (c->next)
                c->next->previous = c;
        v->calls = c;
        return 1;
}
