/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <stdio.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/job-remedy.h"
#include "ctl/progress-bar.h"
#include "ctl/text.h"
#include "ctl/watch.h"

/* How long the manager or the bus may be away before we give up, and how often we look. */
#define PATIENCE (30 * USEC_PER_SEC)
#define PAUSE_MSEC 500

/* What one run of the event loop ends with, besides an ExitStatus. */
#define WATCH_LOST (-ECONNRESET)

typedef struct Watched {
        struct Watch *watch;
        const char *id;
        char *path;
        JobView view;
        char *told; /* the last line that was written about it */
        bool ended;
} Watched;

typedef struct Watch {
        Ctl *ctl;
        sd_bus **bus;
        sd_event *event;
        Watched *jobs;
        size_t n_jobs, n_drawn; /* lines of the block on the terminal */
        int status; /* of the first job that did not end well */
        int cancelled_by; /* the signal, or 0 */
        usec_t lost_since; /* 0: not lost */
} Watch;

/* --- on the terminal -------------------------------------------------------------------------------------
 */

static bool watch_draws(const Watch *w) {
        return w->ctl->err.cursor && !w->ctl->args.quiet;
}

static void erase_block(Watch *w) {
        if (w->n_drawn == 0)
                return;
        if (w->n_drawn > 1)
                fprintf(stderr, "\x1b[%zuA", w->n_drawn - 1);
        fputs("\r\x1b[J", stderr);
        w->n_drawn = 0;
}

static int draw_job(const Watch *w, const Watched *j) {
        Progress p = { .label = w->n_jobs > 1 ? j->id : NULL,
                .percent = j->view.percent,
                .done = j->view.done,
                .total = j->view.total,
                .rate = j->view.rate };
        _cleanup_free_ char *phase = NULL, *line = NULL, *fitted = NULL;
        bool utf8 = w->ctl->err.utf8;
        /* Never the last column: some terminals wrap there. */
        size_t width = w->ctl->err.width - 1;

        phase = text_escape(isempty(j->view.phase) ? strempty(j->view.state) : j->view.phase, utf8);
        if (!phase)
                return -ENOMEM;
        p.phase = phase;
        line = progress_line(&p, width, utf8);
        fitted = line ? text_fit(line, width, utf8) : NULL;
        if (!fitted)
                return -ENOMEM;
        fputs(fitted, stderr);
        return 0;
}

/* The jobs that go on, as many as the terminal has lines. */
static int draw_block(Watch *w) {
        terminal_query(STDERR_FILENO, &w->ctl->err);
        erase_block(w);
        for (size_t i = 0; i < w->n_jobs && w->n_drawn + 1 < MAX(w->ctl->err.height, (size_t) 2); i++) {
                if (w->jobs[i].ended)
                        continue;
                if (w->n_drawn > 0)
                        fputc('\n', stderr);
                if (draw_job(w, w->jobs + i) < 0)
                        return -ENOMEM;
                w->n_drawn++;
        }
        fflush(stderr);
        return 0;
}

/* --- as lines --------------------------------------------------------------------------------------------
 */

/* Says how a job stands, if that is something new. */
static int tell_stage(Watched *j) {
        _cleanup_free_ char *line = NULL, *text = NULL;

        line = isempty(j->view.phase)
                        ? strprintf("%s: %s", j->id, strempty(j->view.state))
                        : strprintf("%s: %s, %s", j->id, strempty(j->view.state), j->view.phase);
        text = line ? text_escape(line, j->watch->ctl->err.utf8) : NULL;
        if (!text)
                return -ENOMEM;
        if (!streq_ptr(text, j->told)) {
                fprintf(stderr, "%s\n", text);
                free(j->told);
                j->told = TAKE_PTR(text);
        }
        return 0;
}

static int tell_end(Watched *j) {
        const Ctl *ctl = j->watch->ctl;
        int status = job_view_exit_status(&j->view);
        Colour colour = colour_of_state(j->view.state);
        _cleanup_free_ char *reason = text_escape(strempty(j->view.reason), ctl->err.utf8),
                            *remedy = job_remedy(&j->view, j->id);
        char span[TIMESPAN_SIZE];
        usec_t begun = j->view.started > 0 ? j->view.started : j->view.created;

        if (!reason || !remedy)
                return -ENOMEM;
        if (ctl->args.quiet && status == EXIT_OK)
                return 0;
        erase_block(j->watch);
        fprintf(stderr, "%s: %s%s%s", j->id, colour_on(&ctl->err, colour), j->view.state,
                        colour_off(&ctl->err, colour));
        if (begun > 0 && j->view.finished > begun)
                fprintf(stderr, " after %s", format_timespan(span, j->view.finished - begun));
        if (status != EXIT_OK && !isempty(reason))
                fprintf(stderr, ": %s", reason);
        fputc('\n', stderr);
        if (*remedy && !ctl->args.quiet)
                fprintf(stderr, "%s\n", remedy);
        fflush(stderr);
        return 0;
}

/* --- what comes from the bus -----------------------------------------------------------------------------
 */

static bool all_ended(const Watch *w) {
        for (size_t i = 0; i < w->n_jobs; i++)
                if (!w->jobs[i].ended)
                        return false;
        return true;
}

/* After any news of a job. */
static int job_changed(Watched *j) {
        Watch *w = j->watch;
        int r = 0;

        if (j->ended)
                return 0;
        if (job_view_has_ended(&j->view)) {
                j->ended = true;
                r = tell_end(j);
                if (w->status == EXIT_OK)
                        w->status = job_view_exit_status(&j->view);
        } else if (!watch_draws(w) && !w->ctl->args.quiet)
                r = tell_stage(j);
        if (r >= 0 && watch_draws(w))
                r = draw_block(w);
        if (r >= 0 && all_ended(w))
                r = sd_event_exit(w->event, 0);
        return r;
}

/* 0, WATCH_LOST for what another try may heal, or an ExitStatus that has been explained. */
static int fetch(Watched *j) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_message_ sd_bus_message *reply = NULL;
        Ctl *ctl = j->watch->ctl;
        int r;

        r = sd_bus_call_method(*j->watch->bus, HYPER_BUS_NAME, j->path, "org.freedesktop.DBus.Properties",
                        "GetAll", &error, &reply, "s", HYPER_JOB_INTERFACE);
        if (r < 0 && (client_exit_status(error.name) == EXIT_UNAVAILABLE || !sd_bus_error_is_set(&error)))
                return WATCH_LOST;
        if (r < 0) {
                erase_block(j->watch);
                return client_failure(ctl, &error, r, "Following the job");
        }
        r = job_view_read(&j->view, reply);
        if (r >= 0)
                r = job_changed(j);
        return r < 0 ? client_failure(ctl, NULL, r, "Following the job") : 0;
}

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Watched *j = userdata;
        const char *interface;
        int r;

        r = sd_bus_message_read_basic(m, 's', &interface);
        if (r < 0 || !streq(interface, HYPER_JOB_INTERFACE))
                return 0;
        r = job_view_read(&j->view, m);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "s");
        /* Properties that changed but whose value was not sent along. */
        if (r >= 0 && sd_bus_message_at_end(m, false) == 0)
                r = fetch(j);
        else if (r >= 0)
                r = job_changed(j);
        return r != 0 ? sd_event_exit(j->watch->event, r) : 0;
}

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_event_exit(((Watch *) userdata)->event, WATCH_LOST);
}

/* The ids of the jobs that have not ended, each behind a blank. */
static char *list_going_on(const Watch *w) {
        char *list = strdup("");

        for (size_t i = 0; list && i < w->n_jobs; i++) {
                _cleanup_free_ char *before = NULL;

                if (w->jobs[i].ended)
                        continue;
                before = list;
                list = strprintf("%s %s", before, w->jobs[i].id);
        }
        return list;
}

/* Of those that have not ended. The answer is their end, or that of the watch with the next signal. */
static void cancel_jobs(Watch *w) {
        for (size_t i = 0; i < w->n_jobs; i++)
                if (!w->jobs[i].ended)
                        (void) sd_bus_call_method_async(*w->bus, NULL, HYPER_BUS_NAME, HYPER_BUS_PATH,
                                        HYPER_MANAGER_INTERFACE, "CancelJob", NULL, NULL, "s",
                                        w->jobs[i].id);
}

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *info, void *userdata) {
        _cleanup_free_ char *ids = NULL;
        Watch *w = userdata;

        erase_block(w);
        if (w->ctl->cancel_on_signal && w->cancelled_by == 0) {
                w->cancelled_by = (int) info->ssi_signo;
                if (!w->ctl->args.quiet)
                        log_info("Cancelling the job. Another ^C does not wait for its end.");
                cancel_jobs(w);
                return 0;
        }
        if (!w->ctl->args.quiet) {
                ids = list_going_on(w);
                log_info("No longer watching; the job goes on. \"hyperctl watch%s\" shows it again, "
                         "\"hyperctl "
                         "cancel%s\" ends it.",
                                strempty(ids), strempty(ids));
        }
        return sd_event_exit(w->event, 128 + (int) info->ssi_signo);
}

/* --- the loop --------------------------------------------------------------------------------------------
 */

static int subscribe(Watch *w) {
        int r;

        r = sd_bus_match_signal(*w->bus, NULL, NULL, NULL, "org.freedesktop.DBus.Local", "Disconnected",
                        on_owner_changed, w);
        for (size_t i = 0; i < w->n_jobs && r >= 0; i++)
                r = sd_bus_match_signal(*w->bus, NULL, HYPER_BUS_NAME, w->jobs[i].path,
                                "org.freedesktop.DBus.Properties", "PropertiesChanged", on_properties,
                                w->jobs + i);
        return r;
}

/* The manager going away matters only once it has been asked for: its own start is no loss. */
static int subscribe_owner(Watch *w) {
        return sd_bus_add_match(*w->bus, NULL,
                        "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
                        "member='NameOwnerChanged',arg0='" HYPER_BUS_NAME "'",
                        on_owner_changed, w);
}

/* SIGINT and SIGTERM become events while the loop runs, and are themselves again outside of it. */
static int run_loop(Watch *w) {
        sigset_t set, old;
        int r;

        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGTERM);
        if (sigprocmask(SIG_BLOCK, &set, &old) < 0)
                return -errno;
        r = sd_event_add_signal(w->event, NULL, SIGINT, on_signal, w);
        if (r >= 0)
                r = sd_event_add_signal(w->event, NULL, SIGTERM, on_signal, w);
        if (r >= 0)
                r = sd_event_loop(w->event);
        (void) sigprocmask(SIG_SETMASK, &old, NULL);
        return r;
}

/* Subscribes, asks how things stand, follows. 0 when all have ended, WATCH_LOST, another negative errno, or
 * an ExitStatus. */
static int watch_once(Watch *w) {
        int r;

        r = subscribe(w);
        for (size_t i = 0; i < w->n_jobs && r >= 0; i++) {
                r = fetch(w->jobs + i);
                if (r != 0)
                        return r;
        }
        if (r >= 0)
                r = subscribe_owner(w);
        if (r < 0)
                return r;
        w->lost_since = 0;
        return all_ended(w) ? 0 : run_loop(w);
}

static int watch_connection(Watch *w) {
        int r;

        r = sd_event_new(&w->event);
        /* Else the loop's end would be the connection's. */
        if (r >= 0)
                r = sd_bus_set_close_on_exit(*w->bus, false);
        if (r >= 0)
                r = sd_bus_attach_event(*w->bus, w->event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = watch_once(w);
        if (r < 0 && r != -ENOMEM)
                r = WATCH_LOST;
        (void) sd_bus_detach_event(*w->bus);
        w->event = sd_event_unref(w->event);
        return r;
}

/* After a loss: 0 to try again on a new connection, or an ExitStatus. */
static int reconnect(Watch *w) {
        const struct timespec pause = { .tv_nsec = PAUSE_MSEC * 1000000L };
        int r;

        if (w->lost_since == 0)
                w->lost_since = now_monotonic();
        do {
                (void) nanosleep(&pause, NULL);
                *w->bus = sd_bus_flush_close_unref(*w->bus);
                r = client_open(w->ctl, w->bus);
                if (r >= 0)
                        return 0;
        } while (now_monotonic() - w->lost_since < PATIENCE);
        erase_block(w);
        return client_failure(w->ctl, NULL, r, "Connecting to the bus again");
}

static int watch_until_ended(Watch *w) {
        int r;

        for (;;) {
                r = watch_connection(w);
                if (r != WATCH_LOST)
                        break;
                if (w->lost_since > 0 && now_monotonic() - w->lost_since > PATIENCE) {
                        erase_block(w);
                        log_error("hyper-managerd does not answer. The jobs themselves go on; \"systemctl "
                                  "status "
                                  "hyper-managerd\" tells more.");
                        return EXIT_UNAVAILABLE;
                }
                r = reconnect(w);
                if (r != 0)
                        return r;
        }
        erase_block(w);
        return r < 0 ? client_failure(w->ctl, NULL, r, "Following the job") : r;
}

static int print_ended_jobs(Watch *w) {
        int status = EXIT_OK;

        for (size_t i = 0; i < w->n_jobs && status == EXIT_OK; i++) {
                _cleanup_(json_decrefp) json_t *details = NULL;
                _cleanup_free_ char *path = NULL;

                status = job_view_find(w->ctl, *w->bus, w->jobs[i].id, &path, &details);
                if (status == EXIT_OK)
                        status = client_print_json(w->ctl, details);
        }
        return status;
}

static int watch_find(Watch *w, char **ids) {
        for (size_t i = 0; i < w->n_jobs; i++) {
                Watched *j = w->jobs + i;
                int status;

                *j = (Watched){ .watch = w, .id = ids[i], .view.percent = -1 };
                status = job_view_find(w->ctl, *w->bus, j->id, &j->path, NULL);
                if (status != EXIT_OK)
                        return status;
        }
        return EXIT_OK;
}

static void watch_done(Watch *w) {
        for (size_t i = 0; w->jobs && i < w->n_jobs; i++) {
                job_view_done(&w->jobs[i].view);
                free(w->jobs[i].path);
                free(w->jobs[i].told);
        }
        free(w->jobs);
}

int watch_jobs(Ctl *ctl, sd_bus **bus, char **ids) {
        _cleanup_(watch_done) Watch w = { .ctl = ctl, .bus = bus, .n_jobs = strv_length(ids) };
        int status;

        w.jobs = new0(Watched, w.n_jobs);
        if (!w.jobs)
                return log_oom(), EXIT_OTHER;
        status = watch_find(&w, ids);
        if (status == EXIT_OK)
                status = watch_until_ended(&w);
        if (status == EXIT_OK && ctl->args.json != JSON_MODE_OFF)
                status = print_ended_jobs(&w);
        if (w.cancelled_by > 0 && w.status == EXIT_JOB_CANCELLED)
                w.status = 128 + w.cancelled_by;
        return status == EXIT_OK ? w.status : status;
}
