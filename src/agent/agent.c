/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/agent.h"

#include <dirent.h>
#include <sys/random.h>
#include <systemd/sd-daemon.h>

#include "basic/log.h"
#include "basic/string-util.h"

void agent_fail(Agent *a, int error, const char *what) {
        log_error_errno(error, "%s: %m. Ending, to be started again.", what);
        (void) sd_event_exit(a->event, EXIT_FAILURE);
}

usec_t agent_jitter(usec_t span) {
        uint32_t random;

        if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t) sizeof(random))
                random = 500;
        return span / 2 + span * (random % 1001) / 1000;
}

void agent_status(const Agent *a) {
        const char *plural = a->n_held == 1 ? "" : "s";

        if (a->link == LINK_UP)
                (void) sd_notifyf(false, "STATUS=%zu job%s, connected to %s as %s", a->n_held, plural,
                                a->settings->server.url, a->settings->worker.id);
        else if (a->link_error)
                (void) sd_notifyf(false, "STATUS=%zu job%s, not connected to %s: %s", a->n_held, plural,
                                a->settings->server.url, a->link_error);
        else
                (void) sd_notifyf(false, "STATUS=%zu job%s, connecting to %s", a->n_held, plural,
                                a->settings->server.url);
}

static void on_answer(const HttpResult *result, void *request_userdata, void *userdata) {
        Ask *ask = request_userdata;

        ask->out = false;
        ask->func(userdata, ask, result);
}

static void on_event(JournalFollow *f, const JobEvent *event, void *userdata) {
        HeldJob *h = held_find_local(userdata, event->job_id);

        if (!h)
                return;
        if (event->kind == EVENT_STATE && job_state_is_terminal(event->state))
                held_look(h); /* and then everything without a pause */
        else
                forward_wake(h);
}

Agent *agent_free(Agent *a) {
        if (!a)
                return NULL;
        while (!LIST_EMPTY(&a->held))
                held_free(LIST_FIRST(&a->held));
        while (!LIST_EMPTY(&a->adoptions))
                adoption_free(LIST_FIRST(&a->adoptions));
        sd_event_source_disable_unref(a->link_timer);
        sd_event_source_disable_unref(a->dequeue_timer);
        journal_follow_free(a->follow);
        http_client_free(a->http);
        free(a->link_error);
        sd_bus_unref(a->bus);
        sd_event_unref(a->event);
        return mfree(a);
}

int agent_new(const AgentOptions *o, Agent **ret) {
        _cleanup_(agent_freep) Agent *a = new0(Agent, 1);
        int r;

        if (!a)
                return -ENOMEM;
        LIST_INIT(&a->held);
        LIST_INIT(&a->adoptions);
        a->event = sd_event_ref(o->event);
        a->bus = sd_bus_ref(o->bus);
        a->settings = o->settings;
        a->directory = o->directory;
        a->journal_directory = o->journal_directory;
        a->link_ask.agent = a->dequeue.agent = a;
        const HttpClientOptions options = {
                .event = a->event,
                .done = on_answer,
                .userdata = a,
                .response_max = ANSWER_MAX,
                .response_whole = true,
                .ca_file = o->settings->server.ca_file,
                .certificate_file = o->settings->server.certificate_file,
                .key_file = o->settings->server.key_file,
        };
        r = http_client_new(&options, &a->http);
        if (r >= 0)
                r = journal_follow_new(a->event, a->journal_directory, NULL, on_event, a, &a->follow);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(a);
        return 0;
}

/* A job of another server, or of another name of ours, is none of ours any more. */
static bool is_ours(const Agent *a, const HeldFile *f) {
        return streq(f->server, a->settings->server.url) && streq(f->worker_id, a->settings->worker.id);
}

static int load_file(Agent *a, const char *name) {
        _cleanup_(held_file_done) HeldFile file = {};
        HeldJob *h;
        int r = held_file_read(a->directory, name, &file);

        if (r == -EBADMSG) {
                log_warning("%s/%s is no file of ours and is left alone.", a->directory, name);
                return 0;
        }
        if (r >= 0)
                r = held_new(a, &file, &h);
        if (r < 0)
                return r;
        if (h->stage != HELD_DROPPED && !is_ours(a, &h->file))
                held_drop(h, "it was taken from another server, or under another name");
        else
                held_begin(h);
        return 0;
}

static int load_files(Agent *a) {
        DIR *directory = opendir(a->directory);
        struct dirent *de;
        int r = 0;

        if (!directory)
                return -errno;
        while (r >= 0 && (de = readdir(directory)))
                /* (What was being written when we died begins with a dot, or ends otherwise.) */
                if (de->d_name[0] != '.' && endswith(de->d_name, ".json"))
                        r = load_file(a, de->d_name);
        closedir(directory);
        return r;
}

int agent_start(Agent *a) {
        int r = load_files(a);

        if (r < 0)
                return r;
        if (a->n_held > 0)
                log_info("Going on with %zu job%s.", a->n_held, a->n_held == 1 ? "" : "s");
        link_try(a);
        agent_status(a);
        return 0;
}
