/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The conversation with the manager (org.hyper1.Deliveries).
 *
 * Nothing is kept here: a delivery is the manager's until its result is recorded. If we die in between it is
 * tried again, with the same id. One question and one report are out at a time; results that come meanwhile
 * go into the next report together, so that a fast receiver does not wait for the manager's disk. */

#include "notify/notifier.h"

#include <sysexits.h>
#include <systemd/sd-daemon.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "http/http-client.h"
#include "notify/address.h"
#include "notify/credential.h"
#include "notify/delivery-queue.h"
#include "notify/signature.h"
#include "shared/bus-util.h"
#include "shared/webhook.h"

/* Deliveries of one webhook that are asked for at once. */
#define BATCH 64u
/* Reported at once. */
#define RESULTS_MAX 256u
#define CALL_TIMEOUT (30 * USEC_PER_SEC)
/* How long to stay when there is nothing to do: events come in groups. */
#define LINGER (5 * USEC_PER_SEC)
/* The manager does not answer: try again, this often. */
#define CALL_PAUSE USEC_PER_SEC
#define CALL_FAILURES_MAX 10u
/* How long what is being tried may take when we are to end. */
#define END_GRACE (2 * USEC_PER_SEC)
#define BARRIER_TIMEOUT (5 * USEC_PER_SEC)
#define GOODBYE_TIMEOUT (5 * USEC_PER_SEC)

typedef struct Result {
        int64_t queue, seq;
        bool success;
        unsigned status;
        usec_t duration;
        char *error, *response;
        STAILQ_ENTRY(Result) entries;
} Result;

STAILQ_HEAD(ResultList, Result);

struct Notifier {
        sd_event *event;
        sd_bus *bus;
        const char *credentials_directory;
        AllowedRanges allowed;
        HttpClient *http;
        DeliveryQueues *queues;

        struct ResultList results; /* not reported yet */
        struct ResultList reported; /* in the report that is out */
        size_t n_results;

        sd_bus_slot *match, *question, *report;
        bool ask_again; /* something came while the question was out */
        bool answered; /* the first question was */
        unsigned failures; /* in a row, of calls */
        sd_event_source *timer; /* the next question, or the end */
        sd_event_source *end_timer;
        bool ending;
};

static void ask(Notifier *n);
static void send_report(Notifier *n);

static void results_clear(struct ResultList *list) {
        Result *r;

        while ((r = STAILQ_FIRST(list))) {
                STAILQ_REMOVE_HEAD(list, entries);
                free(r->error);
                free(r->response);
                free(r);
        }
}

Notifier *notifier_free(Notifier *n) {
        if (!n)
                return NULL;
        sd_bus_slot_unref(n->match);
        sd_bus_slot_unref(n->question);
        sd_bus_slot_unref(n->report);
        sd_event_source_disable_unref(n->timer);
        sd_event_source_disable_unref(n->end_timer);
        http_client_free(n->http);
        allowed_ranges_done(&n->allowed);
        delivery_queues_free(n->queues);
        results_clear(&n->results);
        results_clear(&n->reported);
        sd_bus_unref(n->bus);
        sd_event_unref(n->event);
        return mfree(n);
}

/* --- the end --------------------------------------------------------------------------------------- */

static void end_now(Notifier *n, int code) {
        (void) sd_event_exit(n->event, code);
}

static int on_goodbye(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        end_now(userdata, EXIT_SUCCESS);
        return 0;
}

static int call_new(Notifier *n, const char *member, sd_bus_message **ret) {
        return sd_bus_message_new_method_call(
                        n->bus, ret, HYPER_BUS_NAME, HYPER_BUS_PATH, HYPER_DELIVERIES_INTERFACE, member);
}

/* An empty report, so that the manager has met us, and looks again once it sees us leave. If it does not
 * run, it is not started for this: it looks when it starts. */
static int send_goodbye(Notifier *n) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r = call_new(n, "RecordDeliveries", &m);

        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, false);
        if (r >= 0)
                r = sd_bus_message_append(m, "a(xbutss)", 0);
        return r < 0 ? r : sd_bus_call_async(n->bus, &n->report, m, on_goodbye, n, GOODBYE_TIMEOUT);
}

/* systemd knows that we stop before the manager looks for the last time: a start that it asks for from then
 * on is a new one. */
static void end_well(Notifier *n) {
        (void) sd_notify(false, "STOPPING=1");
        (void) sd_notify_barrier(false, BARRIER_TIMEOUT);
        n->report = sd_bus_slot_unref(n->report);
        if (send_goodbye(n) < 0)
                end_now(n, EXIT_SUCCESS);
}

static bool is_quiet(const Notifier *n) {
        return delivery_queues_active(n->queues) == 0 && n->n_results == 0 && !n->report;
}

static int on_grace_over(sd_event_source *s, uint64_t usec, void *userdata) {
        end_well(userdata);
        return 0;
}

void notifier_end(Notifier *n, const char *why) {
        if (n->ending)
                return;
        n->ending = true;
        log_debug("Ending: %s.", why);
        delivery_queues_drop_waiting(n->queues);
        if (is_quiet(n) ||
                        sd_event_add_time_relative(n->event, &n->end_timer, CLOCK_MONOTONIC, END_GRACE, 0,
                                        on_grace_over, n) < 0)
                end_well(n);
}

static void fail(Notifier *n, int error, const char *what) {
        log_error_errno(error, "%s: %m. Ending, to be started again.", what);
        end_now(n, EXIT_FAILURE);
}

/* --- the timer: the next question, or the end ------------------------------------------------------ */

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        ask(userdata);
        return 0;
}

static int on_linger_over(sd_event_source *s, uint64_t usec, void *userdata) {
        notifier_end(userdata, "there is nothing to do");
        return 0;
}

static void set_timer(Notifier *n, usec_t wait, sd_event_time_handler_t handler) {
        int r;

        n->timer = sd_event_source_disable_unref(n->timer);
        r = sd_event_add_time_relative(n->event, &n->timer, CLOCK_MONOTONIC, wait, 1, handler, n);
        if (r < 0)
                fail(n, r, "Failed to set a timer");
}

/* A call failed: tried again after a moment, but not for ever. A manager that refuses all calls, because its
 * configuration is wrong, has us started when it works again. */
static void call_failed(Notifier *n, const char *what, const sd_bus_error *error) {
        n->failures++;
        log_warning("%s: %s", what, strna(error ? error->message : NULL));
        if (n->failures >= CALL_FAILURES_MAX || n->ending)
                end_now(n, EX_TEMPFAIL);
        else
                set_timer(n, CALL_PAUSE, on_timer);
}

/* --- attempts -------------------------------------------------------------------------------------- */

static int note_result(Notifier *n, const Delivery *d, const HttpResult *result) {
        Result *r = new0(Result, 1);

        if (!r)
                return -ENOMEM;
        r->queue = d->queue;
        r->seq = d->seq;
        r->success = result->success;
        r->status = result->status;
        r->duration = result->duration;
        r->error = strdup(strempty(result->error));
        r->response = utf8_make_valid(
                        strempty(result->response), result->response_size, WEBHOOK_RESPONSE_MAX);
        if (!r->error || !r->response) {
                free(r->error);
                free(r->response);
                free(r);
                return -ENOMEM;
        }
        STAILQ_INSERT_TAIL(&n->results, r, entries);
        n->n_results++;
        return 0;
}

static void attempt_done(Notifier *n, const Delivery *d, const HttpResult *result) {
        int r = note_result(n, d, result);

        if (r < 0) {
                fail(n, r, "Failed to note the result of a delivery");
                return;
        }
        if (result->success)
                log_debug("Delivered %s (%s) to %s.", d->event, d->id, d->url);
        else
                log_info("Failed to deliver %s (%s) to %s: %s", d->event, d->id, d->url, result->error);
        delivery_queues_tried(n->queues, d, result->success);
}

/* The secrets of its webhook. 1, or 0 if there are none; -ENOKEY if we have to be started again to be given
 * them. */
static int find_secrets(Notifier *n, const Delivery *d, WebhookSecrets *ret) {
        int r;

        if (isempty(d->credential))
                return 0;
        r = n->credentials_directory ? credential_read(n->credentials_directory, d->credential, ret)
                                     : -ENOENT;
        /* A webhook that was added after our start. If it was there before, starting again will not help. */
        return r == -ENOENT && n->answered ? -ENOKEY : r < 0 ? r : 1;
}

static int post(Notifier *n, const Delivery *d, const WebhookSecrets *secrets) {
        _cleanup_free_ char *signature = secrets->secret ? signature_make(secrets->secret, d->body) : NULL;
        _cleanup_strv_free_ char **headers = NULL;
        int r = secrets->secret && !signature ? -ENOMEM : 0;
        const char *ours[] = { "X-Hyper-Event", d->event, "X-Hyper-Delivery", d->id, "X-Hyper-Signature",
                signature, NULL };

        for (char *const *h = secrets->headers; r >= 0 && h && *h; h++)
                r = strv_extend(&headers, *h);
        /* Without a signature the list ends before it. */
        for (const char **h = ours; r >= 0 && h[0] && h[1]; h += 2)
                if ((r = strv_extend(&headers, h[0])) >= 0)
                        r = strv_extend(&headers, h[1]);
        if (r >= 0) {
                const HttpRequest request = {
                        .method = "POST",
                        .url = secrets->url ? secrets->url : d->url,
                        .body = d->body,
                        .headers = headers,
                        .timeout = d->timeout * USEC_PER_SEC,
                };
                r = http_client_send(n->http, &request, (void *) d);
        }
        STRV_FOREACH(h, headers)
                explicit_bzero(*h, strlen(*h));
        return r;
}

/* False when no more is to be begun. */
static bool begin(Notifier *n, const Delivery *d) {
        _cleanup_(webhook_secrets_done) WebhookSecrets secrets = {};
        int r = find_secrets(n, d, &secrets);

        if (r == -ENOKEY) {
                delivery_queues_give_back(n->queues, d);
                notifier_end(n, "a webhook has secrets that this process was not given");
                return false;
        }
        if (r >= 0)
                r = post(n, d, &secrets);
        if (r < 0) {
                log_error_errno(r, "Failed to begin the delivery %s to %s: %m", d->id, d->url);
                attempt_done(n, d,
                                &(HttpResult){ .error = r == -ENOMEM ? "hyper-notifyd is out of memory"
                                                                     : "hyper-notifyd cannot read the "
                                                                       "webhook's secrets" });
        }
        return true;
}

/* Begins what can be begun, reports what can be reported, and decides what to wait for. */
static void go_on(Notifier *n) {
        const Delivery *d;

        while (!n->ending && (d = delivery_queues_next(n->queues)))
                if (!begin(n, d))
                        break;
        if (!n->report && n->n_results > 0)
                send_report(n);
        if (n->ending && is_quiet(n))
                end_well(n);
}

static void on_attempt_done(const HttpResult *result, void *request_userdata, void *userdata) {
        Notifier *n = userdata;

        attempt_done(n, request_userdata, result);
        go_on(n);
}

/* --- RecordDeliveries ------------------------------------------------------------------------------ */

static int on_recorded(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        Notifier *n = userdata;
        Result *r;

        n->report = sd_bus_slot_unref(n->report);
        if (error) {
                /* They go into the next report, in front. */
                STAILQ_CONCAT(&n->reported, &n->results);
                STAILQ_CONCAT(&n->results, &n->reported);
                n->n_results = 0;
                STAILQ_FOREACH(r, &n->results, entries)
                        n->n_results++;
                call_failed(n, "Failed to record deliveries", error);
                return 0;
        }
        n->failures = 0;
        STAILQ_FOREACH(r, &n->reported, entries)
                delivery_queues_recorded(n->queues, r->queue, 1);
        results_clear(&n->reported);
        go_on(n);
        /* Queues that are empty now may have more to come. */
        ask(n);
        return 0;
}

static int append_results(Notifier *n, sd_bus_message *m) {
        unsigned k = 0;
        Result *r;
        int q = sd_bus_message_open_container(m, 'a', "(xbutss)");

        while (q >= 0 && k++ < RESULTS_MAX && (r = STAILQ_FIRST(&n->results))) {
                q = sd_bus_message_append(m, "(xbutss)", r->seq, (int) r->success, (uint32_t) r->status,
                                (uint64_t) r->duration, r->error, r->response);
                STAILQ_REMOVE_HEAD(&n->results, entries);
                STAILQ_INSERT_TAIL(&n->reported, r, entries);
                n->n_results--;
        }
        return q < 0 ? q : sd_bus_message_close_container(m);
}

static void send_report(Notifier *n) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r = call_new(n, "RecordDeliveries", &m);

        if (r >= 0)
                r = append_results(n, m);
        if (r >= 0)
                r = sd_bus_call_async(n->bus, &n->report, m, on_recorded, n, CALL_TIMEOUT);
        if (r < 0)
                fail(n, r, "Failed to send the results of deliveries");
}

/* --- NextDeliveries -------------------------------------------------------------------------------- */

/* 1 with one added, 0 at the end of the list. */
static int read_delivery(Notifier *n, sd_bus_message *m) {
        const char *id, *event, *url, *credential, *body;
        _cleanup_(delivery_freep) Delivery *d = NULL;
        uint32_t timeout;
        int64_t queue, seq;
        int r = sd_bus_message_read(
                        m, "(xxsssuss)", &queue, &seq, &id, &event, &url, &timeout, &credential, &body);

        if (r <= 0)
                return r;
        r = delivery_new(queue, seq, id, event, url, CLAMP(timeout, 1u, WEBHOOK_TIMEOUT_MAX), credential,
                        body, &d);
        if (r >= 0)
                r = delivery_queues_add(n->queues, d);
        if (r < 0)
                return r;
        TAKE_PTR(d);
        return 1;
}

/* The private addresses that may be delivered to, as the configuration is now. Before the deliveries. */
static int read_allowed(Notifier *n, sd_bus_message *m) {
        const char *text;
        int r = sd_bus_message_enter_container(m, 'a', "s");

        allowed_ranges_done(&n->allowed);
        while (r >= 0 && (r = sd_bus_message_read(m, "s", &text)) > 0)
                r = allowed_ranges_add(&n->allowed, text);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_answer(Notifier *n, sd_bus_message *m, uint64_t *ret_wait) {
        int r = read_allowed(n, m);

        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "(xxsssuss)");

        while (r >= 0 && (r = read_delivery(n, m)) > 0)
                ;
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : sd_bus_message_read(m, "t", ret_wait);
}

/* What is there is being done: now until when is there nothing new? */
static void wait_for(Notifier *n, uint64_t wait) {
        if (n->ask_again)
                ask(n);
        else if (wait <= WEBHOOK_WAIT_MAX)
                set_timer(n, wait, on_timer);
        else if (delivery_queues_count(n->queues) == 0)
                set_timer(n, LINGER, on_linger_over);
        else
                n->timer = sd_event_source_disable_unref(n->timer);
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        Notifier *n = userdata;
        uint64_t wait = UINT64_MAX;
        int r;

        n->question = sd_bus_slot_unref(n->question);
        if (error && sd_bus_error_has_name(error, SD_BUS_ERROR_ACCESS_DENIED)) {
                fail(n, EACCES, "The manager gives us no deliveries");
                return 0;
        }
        if (error) {
                call_failed(n, "Failed to ask for deliveries", error);
                return 0;
        }
        n->failures = 0;
        if (n->ending)
                return 0;
        r = read_answer(n, reply, &wait);
        if (r < 0) {
                fail(n, r, "Failed to understand the manager's answer");
                return 0;
        }
        go_on(n);
        n->answered = true;
        if (!n->ending)
                wait_for(n, wait);
        return 0;
}

static int send_question(Notifier *n) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_free_ int64_t *busy = NULL;
        size_t k = 0;
        int r = delivery_queues_list(n->queues, &busy, &k);

        if (r >= 0)
                r = call_new(n, "NextDeliveries", &m);
        if (r >= 0)
                r = sd_bus_message_append_array(m, 'x', busy, k * sizeof(*busy));
        if (r >= 0)
                r = sd_bus_message_append(m, "u", BATCH);
        if (r < 0)
                return r;
        return sd_bus_call_async(n->bus, &n->question, m, on_answer, n, CALL_TIMEOUT);
}

static void ask(Notifier *n) {
        int r;

        /* A report that failed is sent again first. */
        if (!n->report && n->n_results > 0)
                send_report(n);
        if (n->ending)
                return;
        if (n->question) {
                n->ask_again = true;
                return;
        }
        n->ask_again = false;
        n->timer = sd_event_source_disable_unref(n->timer);
        r = send_question(n);
        if (r < 0)
                fail(n, r, "Failed to ask for deliveries");
}

static int on_pending(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        ask(userdata);
        return 0;
}

static int on_match_installed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        if (sd_bus_message_is_method_error(m, NULL))
                fail(userdata, sd_bus_message_get_errno(m), "Failed to listen to the manager");
        else
                ask(userdata);
        return 0;
}

/* --- made and started ------------------------------------------------------------------------------ */

int notifier_new(const NotifierOptions *o, Notifier **ret) {
        Notifier *n = new0(Notifier, 1);
        int r;

        if (!n)
                return -ENOMEM;
        STAILQ_INIT(&n->results);
        STAILQ_INIT(&n->reported);
        n->event = sd_event_ref(o->event);
        n->bus = sd_bus_ref(o->bus);
        n->credentials_directory = o->credentials_directory;
        const HttpClientOptions options = {
                .event = n->event,
                .done = on_attempt_done,
                .userdata = n,
                .response_max = WEBHOOK_RESPONSE_MAX,
                .refuse = address_refuse,
                .refuse_userdata = &n->allowed,
        };
        r = delivery_queues_new(&n->queues);
        if (r >= 0)
                r = http_client_new(&options, &n->http);
        if (r < 0) {
                notifier_free(n);
                return r;
        }
        *ret = n;
        return 0;
}

int notifier_start(Notifier *n) {
        /* Listening first: what comes while the first question is out is told. */
        return sd_bus_match_signal_async(n->bus, &n->match, HYPER_BUS_NAME, HYPER_BUS_PATH,
                        HYPER_DELIVERIES_INTERFACE, "DeliveriesPending", on_pending, on_match_installed, n);
}
