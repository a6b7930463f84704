/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What hyper-agentd knows: the link to its server, the jobs that it holds. Each part is changed by the
 * file that is named for it. */

#include <sys/queue.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "agent/agent-settings.h"
#include "agent/answer.h"
#include "agent/held.h"
#include "http/http-client.h"
#include "journal/journal-follow.h"

typedef struct Agent Agent;
typedef struct HeldJob HeldJob;

/* One request to the server that can be out. */
typedef struct Ask Ask;
typedef void (*answer_func)(Agent *a, Ask *ask, const HttpResult *result);
struct Ask {
        Agent *agent;
        answer_func func;
        bool out;
};

/* Nothing goes to the server but while the link is up, except what tries whether it is. */
typedef enum LinkState {
        LINK_WAITING, /* for the time of the next try */
        LINK_TRYING, /* a registration or a heartbeat is out */
        LINK_UP,
} LinkState;

typedef enum HeldStage {
        HELD_SUBMITTING, /* our manager does not have it for sure */
        HELD_RUNNING, /* our manager has it; its events are forwarded */
        HELD_ENDED, /* its result is known; it is reported behind the last event */
        HELD_DROPPED, /* not ours any more: to be cancelled here and forgotten */
} HeldStage;

/* Events in one report. */
#define HELD_BATCH ((size_t) 500)

struct HeldJob {
        Agent *agent;
        HeldFile file;
        HeldStage stage;
        usec_t taken_at; /* monotonic: a heartbeat that was sent before does not know of it */

        sd_bus_slot *call; /* to our manager */
        sd_event_source *timer; /* the next call to it */
        unsigned failures; /* of such calls, in a row */
        usec_t looked_at; /* monotonic: when it was asked how the job is */

        Ask report; /* events or the result */
        sd_event_source *forward_timer; /* the next look into the journal */
        char *next_cursor; /* of the last event in the report that is out */
        uint64_t next_since;
        uint64_t next_sequence;
        size_t batch; /* HELD_BATCH; fewer after the server refused a report */
        bool end_seen; /* the journal has its last word: there is nothing behind it */
        usec_t ended_at; /* monotonic */
        json_t *result; /* HELD_ENDED */
        bool result_refused; /* the server has refused it; a shorter report is sent */
        LIST_ENTRY(HeldJob) entries;
};

/* A job that the server counts as ours and that we do not have yet: it is being asked what it is. */
typedef struct Adoption {
        Agent *agent;
        char *job_id;
        Ask ask;
        LIST_ENTRY(Adoption) entries;
} Adoption;

/* What one part tells another that builds on it; agent.c connects them. */
typedef struct AgentHooks {
        void (*link_up)(Agent *a); /* after each heartbeat that was answered */
        void (*link_down)(Agent *a); /* what is out may hang on a connection that is dead */
        void (*heartbeat)(Agent *a, const HeartbeatAnswer *answer);
        void (*unregistered)(Agent *a); /* the server does not know this worker */
        void (*room)(Agent *a); /* for another job */
        void (*held_wake)(HeldJob *h); /* there may be something to report about it */
        void (*held_stop)(HeldJob *h); /* nothing more is to be reported */
} AgentHooks;

struct Agent {
        const AgentHooks *hooks;
        sd_event *event;
        sd_bus *bus;
        const AgentSettings *settings;
        const char *directory; /* of the files */
        HttpClient *http;
        JournalFollow *follow;
        const char *journal_directory; /* NULL: the system's */

        LinkState link;
        bool registered; /* since we began, and the server has not forgotten it */
        bool was_up; /* for the log */
        unsigned link_failures; /* in a row */
        char *link_error;
        sd_event_source *link_timer; /* the next try, or heartbeat */
        Ask link_ask;
        usec_t heartbeat_sent_at; /* monotonic */

        Ask dequeue;
        sd_event_source *dequeue_timer;

        /* --job: */
        const char *only_job; /* NULL: any job */
        Ask look; /* how it is on the server */
        bool given; /* it was asked for, and given */
        bool stopping; /* it is to be cancelled here, and its end reported */
        int status; /* to exit with, once the server has forgotten this worker */
        sd_event_source *patience;

        LIST_HEAD(, HeldJob) held;
        LIST_HEAD(, Adoption) adoptions;
        size_t n_held, n_adoptions;
};
