/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/agent.h"

#include <dirent.h>

#include "agent/agent-util.h"
#include "agent/dequeue.h"
#include "agent/forward.h"
#include "agent/held-job.h"
#include "agent/link.h"
#include "agent/one-job.h"
#include "basic/log.h"
#include "basic/string-util.h"

/* --- what the parts tell each other ---------------------------------------------------------------- */

static void on_room(Agent *a) {
        if (a->only_job)
                one_job_go(a);
        else
                dequeue_go(a);
}

static void on_link_up(Agent *a) {
        HeldJob *h;

        LIST_FOREACH(h, &a->held, entries)
                forward_wake(h);
        on_room(a);
}

static void on_link_down(Agent *a) {
        HeldJob *h;

        dequeue_stop(a);
        LIST_FOREACH(h, &a->held, entries)
                forward_stop(h);
        while (!LIST_EMPTY(&a->adoptions))
                adoption_free(LIST_FIRST(&a->adoptions));
}

/* Compares the jobs that the server counts as held here with those that are. */
static void on_heartbeat(Agent *a, const HeartbeatAnswer *answer) {
        HeldJob *h, *next;

        for (h = LIST_FIRST(&a->held); h; h = next) {
                next = LIST_NEXT(h, entries);
                /* The answer does not contain jobs that were taken after the heartbeat was sent. For jobs
                 * that have ended, the answer to the result decides. */
                if (h->stage == HELD_DROPPED || h->stage == HELD_ENDED ||
                                h->taken_at >= a->heartbeat_sent_at)
                        continue;
                if (strv_contains(answer->cancelled, h->file.job_id))
                        held_drop(h, "it was cancelled on the server");
                else if (!strv_contains(answer->jobs, h->file.job_id))
                        held_drop(h, "the server does not count it as ours any more");
        }
        /* What was given to us in an answer that never came. */
        STRV_FOREACH(id, answer->jobs)
                if (!held_find(a, *id) && (!a->only_job || streq(*id, a->only_job)))
                        adopt(a, *id);
}

static const AgentHooks hooks = {
        .link_up = on_link_up,
        .link_down = on_link_down,
        .heartbeat = on_heartbeat,
        .unregistered = dequeue_stop,
        .room = on_room,
        .held_wake = forward_wake,
        .held_stop = forward_stop,
};

/* --- the agent ------------------------------------------------------------------------------------- */

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
        sd_event_source_disable_unref(a->patience);
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
        a->hooks = &hooks;
        a->event = sd_event_ref(o->event);
        a->bus = sd_bus_ref(o->bus);
        a->settings = o->settings;
        a->directory = o->directory;
        a->journal_directory = o->journal_directory;
        a->only_job = o->only_job;
        a->link_ask.agent = a->dequeue.agent = a->look.agent = a;
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
