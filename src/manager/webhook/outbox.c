/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The outbox: when is a delivery due, and is hyper-notifyd there for it?
 *
 * While hyper-notifyd is connected a signal tells it of new deliveries. When it is not, it is started if
 * something is due soon; for what is due later a transient timer starts it. Nothing gets lost when it ends:
 * it tells systemd first, so that a start that we ask for from then on is a new one, and then shows itself
 * to us once more, so that we look again when it is gone. */

#include "manager/webhook/outbox.h"

#include <pwd.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/commit-group.h"
#include "manager/systemd-names.h"
#include "manager/webhook/webhook.h"
#include "shared/error-table.h"
#include "spec/job-spec.h"
#include "store/deliveries.h"

#define SERVICE "hyper-notifyd.service"
#define TIMER "hyper-notifyd.timer"
#define TIMER_TRIES_MAX 10u
#define NOTIFY_USER "hyper-notify"

#define PRUNE_INTERVAL (3600 * USEC_PER_SEC)
/* When hyper-notifyd could not be started. */
#define START_PAUSE (60 * USEC_PER_SEC)
/* Less than callers on the bus wait for an answer. */
#define TEST_TIMEOUT (20 * USEC_PER_SEC)
#define TEST_TIMEOUT_SECONDS 15u
#define TESTS_MAX 32u

/* --- tests ----------------------------------------------------------------------------------------- */

static void test_free(Test *t) {
        for (Test **p = &t->outbox->tests; *p; p = &(*p)->next)
                if (*p == t) {
                        *p = t->next;
                        break;
                }
        sd_bus_message_unref(t->message);
        sd_event_source_disable_unref(t->timeout);
        free(t->id);
        free(t->event);
        free(t->url);
        free(t->credential);
        free(t->body);
        free(t);
}

void outbox_test_done(Test *t, const DeliveryResult *result) {
        _cleanup_json_ json_t *answer = json_pack("{s:b, s:o, s:I, s:s?, s:s?, s:s, s:s, s:s}", "success",
                        (int) result->success, "status_code",
                        result->status > 0 ? json_integer(result->status) : json_null(), "duration_ms",
                        (json_int_t) (result->duration / USEC_PER_MSEC), "error",
                        isempty(result->error) ? NULL : result->error, "response",
                        isempty(result->response) ? NULL : result->response, "url", t->url, "event",
                        t->event, "delivery_id", t->id);
        _cleanup_free_ char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
        int r = text ? sd_bus_reply_method_return(t->message, "s", text)
                     : sd_bus_reply_method_errno(t->message, ENOMEM, NULL);

        if (r < 0)
                log_warning_errno(r, "Failed to answer the test of a webhook: %m");
        test_free(t);
}

static void fail_tests(Outbox *o, const char *why) {
        const DeliveryResult result = { .error = why };

        while (o->tests)
                outbox_test_done(o->tests, &result);
}

static int on_test_timeout(sd_event_source *s, uint64_t usec, void *userdata) {
        const DeliveryResult result = { .duration = TEST_TIMEOUT,
                .error = "hyper-notifyd did not get to it in time; its log may say why" };

        outbox_test_done(userdata, &result);
        return 0;
}

static unsigned count_tests(const Outbox *o) {
        unsigned n = 0;

        for (const Test *t = o->tests; t; t = t->next)
                n++;
        return n;
}

static int make_body(Outbox *o, Test *t) {
        _cleanup_json_ json_t *data = json_pack("{s:n, s:n, s:n, s:s, s:b, s:s}", "job_id", "job_name",
                        "vm_path", "status", "test", "test", 1, "message",
                        "This is a test of a webhook of hyper.");
        int r = job_id_make(&t->id);

        if (r < 0)
                return r;
        t->body = data ? webhook_body(t->event, o->manager->clock(), t->id, data) : NULL;
        return t->body ? 0 : -ENOMEM;
}

int outbox_test(Outbox *o, sd_bus_message *message, const TestRequest *request, sd_bus_error *error) {
        Test *t, **end;
        int r;

        if (count_tests(o) >= TESTS_MAX)
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                                "Too many tests of webhooks are going on; try again.");
        t = new0(Test, 1);
        if (!t)
                return -ENOMEM;
        t->outbox = o;
        t->queue = --o->last_queue;
        t->message = sd_bus_message_ref(message);
        t->seconds = MIN(request->timeout, TEST_TIMEOUT_SECONDS);
        for (end = &o->tests; *end;)
                end = &(*end)->next;
        *end = t;
        t->event = strdup(request->event);
        t->url = strdup(request->url);
        t->credential = request->credential ? strdup(request->credential) : NULL;
        r = !t->event || !t->url || (request->credential && !t->credential) ? -ENOMEM : make_body(o, t);
        if (r >= 0)
                r = sd_event_add_time_relative(o->manager->event, &t->timeout, CLOCK_MONOTONIC, TEST_TIMEOUT,
                                0, on_test_timeout, t);
        if (r < 0) {
                test_free(t);
                return r;
        }
        outbox_wake(o);
        return 0;
}

static bool test_waits(const Outbox *o) {
        for (const Test *t = o->tests; t; t = t->next)
                if (!t->handed_out)
                        return true;
        return false;
}

/* --- hyper-notifyd --------------------------------------------------------------------------------- */

static void timer_step(Outbox *o);

/* A timer of another time is stopped first, and is gone a moment later. */
static int on_timer_answer(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        Outbox *o = userdata;

        o->timer_call = sd_bus_slot_unref(o->timer_call);
        if (o->timer_stops) {
                o->timer_stops = false;
                timer_step(o);
        } else if (error && sd_bus_error_has_name(error, SYSTEMD_NAME ".UnitExists") &&
                        ++o->timer_tries < TIMER_TRIES_MAX) {
                o->timer_stops = true;
                timer_step(o);
        } else if (error)
                log_error("Failed to set the timer of the next delivery: %s. The next event of a job brings "
                          "it on the way.",
                                error->message);
        return 0;
}

static int stop_message(Outbox *o, sd_bus_message **ret) {
        int r = sd_bus_message_new_method_call(
                        o->manager->bus, ret, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "StopUnit");

        return r < 0 ? r : sd_bus_message_append(*ret, "ss", TIMER, "replace");
}

static int start_message(Outbox *o, sd_bus_message **ret) {
        usec_t now = o->manager->clock(), wait = o->timer_due > now ? o->timer_due - now : 0;
        int r = sd_bus_message_new_method_call(o->manager->bus, ret, SYSTEMD_NAME, SYSTEMD_PATH,
                        SYSTEMD_MANAGER, "StartTransientUnit");

        if (r < 0)
                return r;
        /* It starts the service of the same name. */
        return sd_bus_message_append(*ret, "ssa(sv)a(sa(sv))", TIMER, "fail", 5, "Description", "s",
                        "Next Delivery to a Webhook", "CollectMode", "s", "inactive-or-failed",
                        "RemainAfterElapse", "b", 0, "AccuracyUSec", "t", (uint64_t) (100 * USEC_PER_MSEC),
                        "TimersMonotonic", "a(st)", 1, "OnActiveSec", (uint64_t) wait, 0);
}

static void timer_step(Outbox *o) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r = o->timer_stops ? stop_message(o, &message) : start_message(o, &message);

        if (r >= 0)
                r = sd_bus_call_async(o->manager->bus, &o->timer_call, message, on_timer_answer, o, 0);
        if (r < 0)
                log_error_errno(r, "Failed to ask systemd for the timer of the next delivery: %m");
}

/* Has systemd start hyper-notifyd at @due. */
static void set_timer(Outbox *o, usec_t due) {
        o->timer_due = due;
        o->timer_tries = 0;
        if (!o->timer_call)
                timer_step(o);
}

static void start_failed(Outbox *o, const char *why) {
        log_error("Failed to start " SERVICE ": %s. Trying again in a minute.", why);
        fail_tests(o, "hyper-notifyd could not be started; the log of hyper-managerd says why");
        set_timer(o, o->manager->clock() + START_PAUSE);
}

static int on_started(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        Outbox *o = userdata;

        o->start_call = sd_bus_slot_unref(o->start_call);
        if (error)
                start_failed(o, error->message);
        return 0;
}

static void start_notifyd(Outbox *o) {
        int r;

        if (o->start_call)
                return;
        r = sd_bus_call_method_async(o->manager->bus, &o->start_call, SYSTEMD_NAME, SYSTEMD_PATH,
                        SYSTEMD_MANAGER, "StartUnit", on_started, o, "ss", SERVICE, "replace");
        if (r < 0)
                start_failed(o, strerror(-r));
}

static int on_notifyd_gone(sd_bus_track *track, void *userdata) {
        Outbox *o = userdata;

        /* What it was given for a test and did not answer is given to the next one. */
        for (Test *t = o->tests; t; t = t->next)
                t->handed_out = false;
        outbox_wake(o);
        return 1; /* at 0 sd-bus would call again at once, and for ever */
}

int outbox_meet_notifyd(Outbox *o, sd_bus_message *message) {
        int r = 0;

        if (!o->notifyd)
                r = sd_bus_track_new(o->manager->bus, &o->notifyd, on_notifyd_gone, o);
        return r < 0 ? r : sd_bus_track_add_sender(o->notifyd, message);
}

/* --- looking --------------------------------------------------------------------------------------- */

static void prune(Outbox *o) {
        usec_t now = now_monotonic();
        int r;

        if (o->pruned_at > 0 && now < o->pruned_at + PRUNE_INTERVAL)
                return;
        o->pruned_at = now;
        r = store_deliveries_prune(o->manager->store, o->manager->clock() - DELIVERIES_KEPT);
        if (r < 0)
                log_warning_errno(r, "Failed to forget deliveries of more than a week ago: %m");
}

static void look(Outbox *o) {
        usec_t now = o->manager->clock(), due = USEC_INFINITY;
        int r;

        if (o->manager->draining)
                return;
        prune(o);
        r = store_deliveries_next_due(o->manager->store, now, NULL, 0, &due);
        if (r < 0 && r != -ENOENT)
                log_error_errno(r, "Failed to look for deliveries: %m");
        if (test_waits(o))
                due = now;
        if (due == USEC_INFINITY)
                return;
        /* (One that the manager before us had started may be there without our having met it yet.) */
        if (due <= now)
                (void) sd_bus_emit_signal(o->manager->bus, HYPER_BUS_PATH, HYPER_DELIVERIES_INTERFACE,
                                "DeliveriesPending", "");
        if (o->notifyd && sd_bus_track_count(o->notifyd) > 0)
                return;
        if (due <= now + WEBHOOK_WAIT_MAX)
                start_notifyd(o);
        else
                set_timer(o, due);
}

static int on_wake(sd_event_source *s, void *userdata) {
        Outbox *o = userdata;

        o->wake_source = sd_event_source_disable_unref(o->wake_source);
        look(o);
        return 0;
}

void outbox_wake(Outbox *o) {
        if (!o || o->wake_source)
                return;
        int r = sd_event_add_defer(o->manager->event, &o->wake_source, on_wake, o);
        /* What it reads would end a group of requests that is not complete. */
        if (r >= 0)
                r = sd_event_source_set_priority(o->wake_source, COMMIT_GROUP_PRIORITY + 1);
        if (r < 0)
                log_error_errno(r, "Failed to wake the outbox: %m");
}

bool outbox_is_busy(const Outbox *o) {
        return o &&
                        (o->wake_source || o->start_call || o->timer_call || o->tests ||
                                        (o->notifyd && sd_bus_track_count(o->notifyd) > 0));
}

/* --- made and freed -------------------------------------------------------------------------------- */

Outbox *outbox_free(Outbox *o) {
        if (!o)
                return NULL;
        while (o->tests)
                test_free(o->tests);
        sd_event_source_disable_unref(o->wake_source);
        sd_bus_slot_unref(o->object_slot);
        sd_bus_slot_unref(o->start_call);
        sd_bus_slot_unref(o->timer_call);
        sd_bus_track_unref(o->notifyd);
        return mfree(o);
}

int outbox_new(Manager *m, Outbox **ret) {
        _cleanup_(outbox_freep) Outbox *o = new0(Outbox, 1);
        struct passwd *user = getpwnam(NOTIFY_USER);

        if (!o)
                return -ENOMEM;
        o->manager = m;
        o->uid = user ? user->pw_uid : UID_INVALID;
        *ret = TAKE_PTR(o);
        return 0;
}
