/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Nothing is kept here. A round is: ask the manager which jobs Slurm has (KnownJobs), ask Slurm for all
 * jobs, tell the manager what is new (RecordJobs), cancel the jobs in Slurm that it does not want, submit
 * those that it wants (NextJobs), and tell their numbers. If an answer does not come, the round ends, and the
 * next one finds out in Slurm's list what became of the request: a job is submitted only after a list was
 * read that does not have it. Then there is a pause, or the end if there is no job. */

#include "slurm/handover.h"

#include <systemd/sd-daemon.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "http/http-client.h"
#include "shared/bus-util.h"
#include "slurm/slurm-answer.h"
#include "slurm/slurm-request.h"

#define INTERVAL (5 * USEC_PER_SEC)
#define INTERVAL_MIN (200 * USEC_PER_MSEC)
#define INTERVAL_MAX USEC_PER_MINUTE
#define CALL_TIMEOUT (30 * USEC_PER_SEC)
#define LIST_TIMEOUT USEC_PER_MINUTE
#define REQUEST_TIMEOUT (20 * USEC_PER_SEC)
/* Numbers that are told at once, and jobs that are asked for at once. */
#define BATCH 64u
/* It may be slurmctld that refuses all jobs. */
#define REFUSALS_MAX 16u

typedef struct Known {
        char *id, *state, *reason;
        uint32_t number;
        bool wanted, seen;
} Known;

/* What the manager is told. */
typedef struct Report {
        char *id;
        uint32_t number;
        char state[SLURM_WORD_MAX], reason[SLURM_WORD_MAX];
        bool over;
        int exit_status;
} Report;

typedef struct Order {
        char *id;
        unsigned priority, memory_gb, timeout_seconds;
        char **limits;
} Order;

struct Handover {
        sd_event *event;
        sd_bus *bus;
        Settings *settings;
        const char *token;
        char *prefix, *base; /* of URLs */
        usec_t interval;
        HttpClient *http;
        sd_bus_slot *call, *match;
        sd_event_source *timer;

        Known *known;
        size_t n_known, allocated_known;
        Report *reports;
        size_t n_reports, allocated_reports;
        uint32_t *unwanted; /* numbers of jobs to be cancelled in Slurm */
        size_t n_unwanted, allocated_unwanted;
        Order *orders;
        size_t n_orders, allocated_orders, next_order;

        bool in_round;
        bool again; /* something has come meanwhile */
        bool listed; /* Slurm's list is told: what follows is about submissions */
        unsigned refusals;
        bool had_jobs; /* in this round */
        usec_t began, took; /* the round; the last one */
        char *refusal; /* the last one that was logged */
        char *failure; /* why the last round failed */
        unsigned n_failures;
};

static void begin_round(Handover *h);
static void go_on(Handover *h);

static void forget_round(Handover *h) {
        for (size_t i = 0; i < h->n_known; i++) {
                free(h->known[i].id);
                free(h->known[i].state);
                free(h->known[i].reason);
        }
        for (size_t i = 0; i < h->n_reports; i++)
                free(h->reports[i].id);
        for (size_t i = 0; i < h->n_orders; i++) {
                free(h->orders[i].id);
                strv_free(h->orders[i].limits);
        }
        h->n_known = h->n_reports = h->n_unwanted = h->n_orders = h->next_order = 0;
}

Handover *handover_free(Handover *h) {
        if (!h)
                return NULL;
        sd_bus_slot_unref(h->call);
        sd_bus_slot_unref(h->match);
        sd_event_source_disable_unref(h->timer);
        http_client_free(h->http);
        forget_round(h);
        free(h->known);
        free(h->reports);
        free(h->unwanted);
        free(h->orders);
        free(h->prefix);
        free(h->base);
        free(h->failure);
        free(h->refusal);
        settings_free(h->settings);
        sd_bus_unref(h->bus);
        sd_event_unref(h->event);
        return mfree(h);
}

/* --- rounds ---------------------------------------------------------------------------------------- */

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Handover *h = userdata;

        h->timer = sd_event_source_disable_unref(h->timer);
        begin_round(h);
        return 0;
}

static void pause_for(Handover *h, usec_t wait) {
        h->timer = sd_event_source_disable_unref(h->timer);
        if (sd_event_add_time_relative(h->event, &h->timer, CLOCK_MONOTONIC, wait, 1, on_timer, h) < 0)
                (void) sd_event_exit(h->event, EXIT_FAILURE);
}

/* The list of a busy cluster takes its time: this is no more than a third of ours. */
static usec_t next_pause(const Handover *h) {
        return MIN(MAX(h->again ? INTERVAL_MIN : h->interval, 2 * h->took), INTERVAL_MAX);
}

static void end_round(Handover *h) {
        bool had_jobs = h->had_jobs;

        forget_round(h);
        h->in_round = false;
        h->took = now_monotonic() - h->began;
        if (h->failure)
                (void) sd_notify(false, "STATUS=Handing jobs over to Slurm.");
        h->failure = mfree(h->failure);
        h->n_failures = 0;
        if (had_jobs || h->again)
                return pause_for(h, next_pause(h));
        log_debug("Slurm has no job of ours. Ending.");
        (void) sd_notify(false, "STOPPING=1\nSTATUS=Nothing to do.");
        (void) sd_event_exit(h->event, EXIT_SUCCESS);
}

static void fail_round(Handover *h, const char *what, const char *why) {
        _cleanup_free_ char *text = strprintf("%s: %s", what, strna(why));
        usec_t wait = h->interval << MIN(h->n_failures, 4u);

        if (text && !streq_ptr(text, h->failure)) {
                log_warning("%s. Trying again.", text);
                (void) sd_notifyf(false, "STATUS=%s", text);
                free(h->failure);
                h->failure = TAKE_PTR(text);
        }
        h->n_failures++;
        forget_round(h);
        h->in_round = false;
        pause_for(h, MIN(wait, INTERVAL_MAX));
}

static int on_pending(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        Handover *h = userdata;

        h->again = true;
        if (!h->in_round && h->n_failures == 0)
                pause_for(h, next_pause(h));
        return 0;
}

/* --- the manager ----------------------------------------------------------------------------------- */

static int new_call(Handover *h, const char *member, sd_bus_message **ret) {
        return sd_bus_message_new_method_call(
                        h->bus, ret, HYPER_BUS_NAME, HYPER_BUS_PATH, HYPER_SLURM_INTERFACE, member);
}

static void send_call(Handover *h, int r, sd_bus_message *message, sd_bus_message_handler_t handler) {
        h->call = sd_bus_slot_unref(h->call);
        if (r >= 0)
                r = sd_bus_call_async(h->bus, &h->call, message, handler, h, CALL_TIMEOUT);
        if (r < 0)
                fail_round(h, "The manager could not be asked", strerror(-r));
}

/* True if the call has failed, and the round with it. */
static bool call_failed(Handover *h, sd_bus_message *reply) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);

        if (error)
                fail_round(h, "The manager has refused a call", error->message);
        return error != NULL;
}

static void bad_reply(Handover *h, int r) {
        fail_round(h, "The answer of the manager is not understood", strerror(-r));
}

/* --- submitting ------------------------------------------------------------------------------------ */

static int add_report(Handover *h, const char *id, uint32_t number, const char *state, const char *reason) {
        Report *p;

        if (!GREEDY_REALLOC(h->reports, h->allocated_reports, h->n_reports + 1))
                return -ENOMEM;
        p = &h->reports[h->n_reports];
        *p = (Report){ .id = strdup(id), .number = number };
        (void) snprintf(p->state, sizeof(p->state), "%s", state);
        (void) snprintf(p->reason, sizeof(p->reason), "%s", reason);
        if (!p->id)
                return -ENOMEM;
        h->n_reports++;
        return 0;
}

static void send_http(Handover *h, const char *method, const char *path, const char *body, usec_t timeout,
                void *what) {
        _cleanup_free_ char *url = strprintf("%s/%s", h->base, path);
        /* It does not know "charset". */
        char *headers[] = { (char *) "X-SLURM-USER-NAME", h->settings->slurm.user,
                (char *) "X-SLURM-USER-TOKEN", (char *) h->token, (char *) "Content-Type",
                (char *) "application/json", NULL };
        const HttpRequest request = {
                .method = method, .url = url, .body = body, .headers = headers, .timeout = timeout
        };
        int r = url ? http_client_send(h->http, &request, what) : -ENOMEM;

        if (r < 0)
                fail_round(h, "slurmrestd could not be asked", strerror(-r));
}

/* Why slurmrestd does not do it; the caller frees. */
static char *why_not(const HttpResult *result) {
        char *why = result->status == 401    ? strdup("it does not accept the token (hyper.slurm-token)")
                        : result->status > 0 ? slurm_answer_why(result->response, result->response_size)
                                             : NULL;

        return why ? why : strdup(strna(result->error));
}

/* Slurm will not have it as it is. Others may do; it is tried again in the next round. */
static int take_refusal(Handover *h, const HttpResult *result, const Order *o, bool *ret_fatal) {
        _cleanup_free_ char *why = why_not(result);

        *ret_fatal = result->status == 0 || result->status == 401 || ++h->refusals >= REFUSALS_MAX;
        if (*ret_fatal) {
                fail_round(h, "No job could be submitted to slurmrestd", why);
                return 0;
        }
        if (!streq_ptr(why, h->refusal))
                log_warning("Slurm refuses job %s: %s", o->id, strna(why));
        free(h->refusal);
        h->refusal = TAKE_PTR(why);
        return add_report(h, o->id, 0, "REFUSED", "");
}

static void on_submitted(Handover *h, const HttpResult *result) {
        const Order *o = &h->orders[h->next_order];
        _cleanup_free_ char *why = NULL;
        uint32_t number = 0;
        bool fatal = false;
        int r = -EBADMSG;

        /* The status may be one of an error, and there is a job nevertheless. */
        if (result->status > 0)
                r = slurm_answer_submitted(result->response, result->response_size, &number, &why);
        if (r == 0) {
                log_info("Job %s is job %u of Slurm.", o->id, number);
                h->refusals = 0;
                r = add_report(h, o->id, number, "PENDING", "");
        } else if (r == -EBADMSG)
                r = take_refusal(h, result, o, &fatal);
        if (fatal)
                return;
        if (r < 0)
                return fail_round(h, "A job could not be submitted", strerror(-r));
        h->next_order++;
        go_on(h);
}

static void submit(Handover *h) {
        const Order *o = &h->orders[h->next_order];
        const SlurmOrder order = { .id = o->id,
                .priority = o->priority,
                .memory_gb = o->memory_gb,
                .timeout_seconds = o->timeout_seconds,
                .limits = o->limits };
        _cleanup_free_ char *body = slurm_request_body(h->settings, h->prefix, &order);

        if (!body)
                return fail_round(h, "A job could not be submitted", strerror(ENOMEM));
        send_http(h, "POST", "job/submit", body, REQUEST_TIMEOUT, on_submitted);
}

static int read_order(Handover *h, sd_bus_message *reply) {
        uint32_t priority, memory_gb, timeout_seconds;
        const char *id;
        Order *o;
        int r;

        if (!GREEDY_REALLOC(h->orders, h->allocated_orders, h->n_orders + 1))
                return -ENOMEM;
        o = &h->orders[h->n_orders++];
        *o = (Order){};
        r = sd_bus_message_read(reply, "suuu", &id, &priority, &memory_gb, &timeout_seconds);
        if (r < 0)
                return r;
        o->id = strdup(id);
        o->priority = priority;
        o->memory_gb = memory_gb;
        o->timeout_seconds = timeout_seconds;
        r = o->id ? sd_bus_message_read_strv(reply, &o->limits) : -ENOMEM;
        return r;
}

static int on_next(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        Handover *h = userdata;
        int r;

        if (call_failed(h, reply))
                return 0;
        r = sd_bus_message_enter_container(reply, 'a', "(suuuas)");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'r', "suuuas")) > 0) {
                r = read_order(h, reply);
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        if (r < 0)
                bad_reply(h, r);
        else if (h->n_orders == 0)
                end_round(h);
        else {
                h->had_jobs = true;
                go_on(h);
        }
        return 0;
}

static void ask_for_next(Handover *h) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r = new_call(h, "NextJobs", &message);

        if (r >= 0)
                r = sd_bus_message_append(message, "u", BATCH);
        send_call(h, r, message, on_next);
}

/* --- cancelling ------------------------------------------------------------------------------------ */

static void on_cancelled(Handover *h, const HttpResult *result) {
        if (!result->success && (result->status == 0 || result->status == 401)) {
                _cleanup_free_ char *why = why_not(result);

                return fail_round(h, "A job could not be cancelled in Slurm", why);
        }
        /* One that is over cannot be cancelled, and need not. The others are in the next list. */
        h->n_unwanted--;
        go_on(h);
}

static void cancel(Handover *h) {
        _cleanup_free_ char *path = strprintf("job/%u", h->unwanted[h->n_unwanted - 1]);

        if (!path)
                return fail_round(h, "A job could not be cancelled in Slurm", strerror(ENOMEM));
        log_info("Cancelling job %u of Slurm.", h->unwanted[h->n_unwanted - 1]);
        send_http(h, "DELETE", path, NULL, REQUEST_TIMEOUT, on_cancelled);
}

/* --- telling --------------------------------------------------------------------------------------- */

static int read_unwanted(Handover *h, sd_bus_message *reply) {
        uint32_t number;
        int r = sd_bus_message_enter_container(reply, 'a', "u");

        while (r >= 0 && (r = sd_bus_message_read(reply, "u", &number)) > 0) {
                if (!GREEDY_REALLOC(h->unwanted, h->allocated_unwanted, h->n_unwanted + 1))
                        return -ENOMEM;
                h->unwanted[h->n_unwanted++] = number;
        }
        return r;
}

static int on_told(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        Handover *h = userdata;
        int r;

        if (call_failed(h, reply))
                return 0;
        r = read_unwanted(h, reply);
        if (r < 0)
                bad_reply(h, r);
        else
                go_on(h);
        return 0;
}

static void tell(Handover *h) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        size_t n = MIN(h->n_reports, BATCH);
        int r = new_call(h, "RecordJobs", &message);

        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "(sussbi)");
        for (size_t i = 0; i < n; i++) {
                Report *p = &h->reports[--h->n_reports];

                if (r >= 0)
                        r = sd_bus_message_append(message, "(sussbi)", p->id, p->number, p->state, p->reason,
                                        (int) p->over, (int32_t) p->exit_status);
                free(p->id);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        send_call(h, r, message, on_told);
}

/* The next step of a round whose list is read. */
static void go_on(Handover *h) {
        bool submitting = h->next_order < h->n_orders;

        if (h->n_reports >= BATCH || (h->n_reports > 0 && !submitting))
                tell(h);
        else if (h->n_unwanted > 0)
                cancel(h);
        else if (submitting)
                submit(h);
        else if (h->n_orders > 0 && h->n_orders < BATCH)
                end_round(h);
        else {
                for (size_t i = 0; i < h->n_orders; i++) {
                        free(h->orders[i].id);
                        strv_free(h->orders[i].limits);
                }
                h->n_orders = h->next_order = 0;
                ask_for_next(h);
        }
}

/* --- what Slurm has -------------------------------------------------------------------------------- */

static Known *find_known(Handover *h, uint32_t number) {
        size_t low = 0, high = h->n_known;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (h->known[middle].number < number)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low < h->n_known && h->known[low].number == number ? &h->known[low] : NULL;
}

static int on_job(const SlurmJob *job, void *userdata) {
        Handover *h = userdata;
        Known *known = find_known(h, job->number);
        int r;

        if (known)
                known->seen = true;
        else if (job->over)
                return 0;
        h->had_jobs = h->had_jobs || !job->over;
        if (known && known->wanted && !job->over && streq(known->state, job->state) &&
                        streq(known->reason, job->reason))
                return 0;
        r = add_report(h, job->id, job->number, job->state, job->reason);
        if (r < 0)
                return r;
        h->reports[h->n_reports - 1].over = job->over;
        h->reports[h->n_reports - 1].exit_status = job->exit_status;
        return 0;
}

/* Slurm forgets what is over after a while. */
static int report_missing(Handover *h) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < h->n_known; i++)
                if (!h->known[i].seen) {
                        r = add_report(h, h->known[i].id, h->known[i].number, "GONE", "");
                        if (r >= 0)
                                h->reports[h->n_reports - 1].over = true;
                }
        return r;
}

static void on_list(Handover *h, const HttpResult *result) {
        _cleanup_free_ char *why = NULL;
        int r;

        if (!result->success) {
                why = why_not(result);
                return fail_round(h, "slurmrestd does not list its jobs", why);
        }
        r = slurm_answer_jobs(result->response, result->response_size, h->prefix, on_job, h, &why);
        if (r >= 0)
                r = report_missing(h);
        if (r < 0)
                return fail_round(h, "The list of jobs of slurmrestd is not understood",
                                why ? why : strerror(-r));
        go_on(h);
}

static int on_known(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        Handover *h = userdata;
        const char *id, *state, *reason;
        uint32_t number;
        int r, wanted;

        if (call_failed(h, reply))
                return 0;
        r = sd_bus_message_enter_container(reply, 'a', "(sussb)");
        while (r >= 0 &&
                        (r = sd_bus_message_read(reply, "(sussb)", &id, &number, &state, &reason, &wanted)) >
                                        0) {
                Known *k;

                if (!GREEDY_REALLOC(h->known, h->allocated_known, h->n_known + 1)) {
                        r = -ENOMEM;
                        break;
                }
                k = &h->known[h->n_known++];
                *k = (Known){ strdup(id), strdup(state), strdup(reason), number, wanted, false };
                r = k->id && k->state && k->reason ? 1 : -ENOMEM;
        }
        h->had_jobs = h->n_known > 0;
        if (r < 0)
                bad_reply(h, r);
        else
                send_http(h, "GET", "jobs", NULL, LIST_TIMEOUT, on_list);
        return 0;
}

static void begin_round(Handover *h) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        h->in_round = true;
        h->again = false;
        h->refusals = 0;
        h->began = now_monotonic();
        r = new_call(h, "KnownJobs", &message);
        send_call(h, r, message, on_known);
}

/* --- the beginning --------------------------------------------------------------------------------- */

static void on_done(const HttpResult *result, void *request_userdata, void *userdata) {
        void (*handler)(Handover *, const HttpResult *) = request_userdata;

        handler(userdata, result);
}

static int open_http(Handover *h) {
        const char *path = startswith(h->settings->slurm.url, "unix:");
        const HttpClientOptions options = { .event = h->event,
                .done = on_done,
                .userdata = h,
                .response_max = SLURM_ANSWER_MAX,
                .response_whole = true,
                .unix_socket = path };

        h->base = strprintf("%s/slurm/%s", path ? "http://localhost" : h->settings->slurm.url,
                        h->settings->slurm.api);
        return h->base ? http_client_new(&options, &h->http) : -ENOMEM;
}

int handover_new(const HandoverOptions *options, Handover **ret) {
        _cleanup_(handover_freep) Handover *h = new0(Handover, 1);
        int r;

        if (!h) {
                settings_free(options->settings);
                return -ENOMEM;
        }
        h->event = sd_event_ref(options->event);
        h->bus = sd_bus_ref(options->bus);
        h->settings = options->settings;
        h->token = options->token;
        h->interval = options->interval > 0 ? options->interval : INTERVAL;
        h->prefix = strdup(options->prefix);
        r = h->prefix ? open_http(h) : -ENOMEM;
        if (r >= 0)
                r = sd_bus_match_signal_async(h->bus, &h->match, HYPER_BUS_NAME, HYPER_BUS_PATH,
                                HYPER_SLURM_INTERFACE, "SlurmPending", on_pending, NULL, h);
        if (r < 0)
                return r;
        begin_round(h);
        *ret = TAKE_PTR(h);
        return 0;
}
