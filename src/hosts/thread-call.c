/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/thread-call.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/host.h"
#include "hosts/libvirt-error.h"
#include "shared/error-table.h"
#include "spec/host-uri.h"

#define CALLS_MAX 16u
/* libvirt sends a keepalive after 5 s without data; after three without a reply, it disconnects. */
#define KEEPALIVE_INTERVAL 5
#define KEEPALIVE_COUNT 3

/* --- the thread ------------------------------------------------------------------------------------ */

static int run_call(Task *t, HostThread *thread, virConnectPtr *connection) {
        ThreadCall *c = CONTAINER_OF(t, ThreadCall, task);

        *connection = virConnectOpen(c->uri);
        if (!*connection)
                return libvirt_error(&t->error) == -ENOMEM ? -ENOMEM : -ENOLINK;
        (void) virConnectSetKeepAlive(*connection, KEEPALIVE_INTERVAL, KEEPALIVE_COUNT);
        int r = c->run(c, *connection, &t->error);
        return r < 0 && r != -ECANCELED && virConnectIsAlive(*connection) != 1 ? -ENOLINK : r;
}

/* --- the loop -------------------------------------------------------------------------------------- */

static int reply_to(ThreadCall *c, sd_bus_message *message) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(message, &reply);

        if (r >= 0 && c->reply)
                r = c->reply(c, reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int reply_error(const ThreadCall *c, int r, sd_bus_message *message) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const Task *t = &c->task;
        /* After a timeout the task's own text belongs to the thread. */
        const char *text = r == -ETIMEDOUT                     ? "it did not answer in time"
                        : r == -ECANCELED || isempty(t->error) ? strerror(-r)
                                                               : t->error;

        if (c->refuses && (r == -EEXIST || r == -EINVAL)) {
                (void) bus_error_setf(&error, error_entry_by_errno(r)->bus_name, "%s", text);
                return sd_bus_reply_method_error(message, &error);
        }
        /* "Unavailable" means that another try is of use. */
        (void) bus_error_setf(&error,
                        r == -ENOLINK || r == -ETIMEDOUT || r == -ECANCELED ? HYPER_BUS_ERROR_UNAVAILABLE
                                                                            : HYPER_BUS_ERROR_LIBVIRT,
                        "libvirt: %s", text);
        return sd_bus_reply_method_error(message, &error);
}

static void done_call(Task *t, int r) {
        ThreadCall *c = CONTAINER_OF(t, ThreadCall, task);
        sd_bus_message *message = TAKE_PTR(c->message);

        c->cancelled = true;
        c->track = sd_bus_track_unref(c->track);
        r = r >= 0 ? reply_to(c, message) : reply_error(c, r, message);
        if (r < 0)
                log_warning_errno(r, "Failed to reply to a call of %s: %m",
                                strna(sd_bus_message_get_member(message)));
        sd_bus_message_unref(message);
        c->hosts->n_define_calls--;
        host_thread_abandon(TAKE_PTR(c->thread));
}

static void free_call(Task *t) {
        ThreadCall *c = CONTAINER_OF(t, ThreadCall, task);

        free(c->uri);
        c->free(c);
}

/* The thread sees it at its next look. */
static int on_caller_gone(sd_bus_track *track, void *userdata) {
        ThreadCall *c = userdata;

        c->cancelled = true;
        return 0;
}

static void on_vm(void *userdata, const char *uuid) {
}

static void on_closed(void *userdata) {
}

static int prepare_call(ThreadCall *c, Hosts *h, const CallTarget *target, sd_bus_message *message) {
        const HostThreadHandler handler = { .on_vm = on_vm, .on_closed = on_closed };
        int r;

        c->task = (Task){ .run = run_call, .done = done_call, .free = free_call };
        c->hosts = h;
        c->local = target->local;
        c->uri = strdup(target->uri);
        r = c->uri ? host_thread_new(h->event, &handler, &c->thread) : -ENOMEM;
        if (r >= 0)
                r = sd_bus_track_new(h->bus, &c->track, on_caller_gone, c);
        return r < 0 ? r : sd_bus_track_add_sender(c->track, message);
}

int thread_call_start(
                ThreadCall *c, Hosts *h, const CallTarget *target, usec_t timeout, sd_bus_message *message) {
        int r = prepare_call(c, h, target, message);

        if (r < 0) {
                sd_bus_track_unref(c->track);
                host_thread_abandon(c->thread);
                free_call(&c->task);
                return r;
        }
        c->message = sd_bus_message_ref(message);
        h->n_define_calls++;
        r = host_thread_run(c->thread, &c->task, timeout);
        return r < 0 ? r : 1;
}

/* --- whom it is about ------------------------------------------------------------------------------ */

void call_target_done(CallTarget *t) {
        free(t->uri);
        *t = (CallTarget){};
}

/* hyper-hostd would offer its key to any machine that a job names. */
static int refuse_unknown(const char *uri, sd_bus_error *error) {
        _cleanup_free_ char *shown = host_uri_redact(uri);

        return shown ? bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                       "uri: %s is not the URI of a host that was added: an administrator "
                                       "must add it (hyperctl host add)",
                                       shown)
                     : -ENOMEM;
}

int call_target_find(Hosts *h, const char *uri, CallTarget *ret, sd_bus_error *error) {
        const char *why;
        HostUri parts;

        if (host_uri_parse(uri, h->settings->hosts.allow_test, &parts, &why) < 0)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "uri: %s", why);
        CallTarget t = { .host = hosts_find_by_uri(h, &parts), .local = host_uri_is_local(uri) };
        if (!t.local && (!t.host || t.host->adding))
                return refuse_unknown(uri, error);
        if (h->n_define_calls >= CALLS_MAX || host_thread_abandoned() >= HOST_GHOSTS_TOTAL)
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                                "Too many calls wait for libvirt; try again.");
        t.uri = host_uri_build(&parts, h->keyfile);
        if (!t.uri)
                return -ENOMEM;
        *ret = t;
        return 0;
}
