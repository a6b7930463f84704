/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* hyper-agentd: this machine as a worker of another one, its server. README.md says how a job travels.
 *
 * Everything is asynchronous, on one loop. Whatever dies on either side, what we hold is in our files, in
 * our manager's database and in the server's; link_try() and held_begin() bring them together again. */

#include <sys/queue.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "agent/agent-settings.h"
#include "agent/held.h"
#include "http/http-client.h"
#include "journal/journal-follow.h"

typedef struct Agent Agent;

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

typedef struct HeldJob {
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
        bool result_refused; /* the server did not like it, and is told so much less */
        LIST_ENTRY(HeldJob) entries;
} HeldJob;

/* A job that the server counts as ours and that we do not have yet: it is being asked what it is. */
typedef struct Adoption {
        Agent *agent;
        char *job_id;
        Ask ask;
        LIST_ENTRY(Adoption) entries;
} Adoption;

struct Agent {
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

        LIST_HEAD(, HeldJob) held;
        LIST_HEAD(, Adoption) adoptions;
        size_t n_held, n_adoptions;
};

typedef struct AgentOptions {
        sd_event *event;
        sd_bus *bus;
        const AgentSettings *settings; /* lives longer than the agent */
        const char *directory; /* for files; exists */
        const char *journal_directory; /* NULL: the system's; for tests */
} AgentOptions;

int agent_new(const AgentOptions *options, Agent **ret);
Agent *agent_free(Agent *a);
DEFINE_CLEANUP_FUNC(Agent *, agent_free);
/* Reads the files, and begins. 0 or negative errno. */
int agent_start(Agent *a);
/* Something changed that the unit's status tells. */
void agent_status(const Agent *a);
/* Half of @span at least, one and a half at most: a thousand workers do not come back in the same
 * instant. */
usec_t agent_jitter(usec_t span);
/* Nothing can go on: out of memory, or the disk does not take our files. The service ends, to be started
 * again. */
void agent_fail(Agent *a, int error, const char *what);

/* --- server.c: requests ---------------------------------------------------------------------------- */

/* What an answer means. */
typedef enum Verdict {
        VERDICT_DONE, /* 2xx */
        VERDICT_NOT_OURS, /* 404, 409 in the server's own words: there is no such job, or it is not ours */
        VERDICT_REFUSED, /* 400, 413: what we sent */
        VERDICT_UNAVAILABLE, /* no answer, 401, 403, 429, 5xx and all else: later */
} Verdict;
Verdict verdict_of(const HttpResult *result, const char *job_id);

/* Sends a request; @ask->func is called once with its answer, unless it is aborted. @body is consumed; NULL:
 * none (or out of memory, where @method is POST). Failures end in agent_fail(). */
void server_ask(Agent *a, Ask *ask, const char *method, const char *path, json_t *body, usec_t timeout,
                answer_func func);
void server_abort(Ask *ask);
/* How long requests that are answered at once may take. */
#define SERVER_TIMEOUT (20 * USEC_PER_SEC)

/* --- link.c: registration, heartbeats, whether there is a server ----------------------------------- */

void link_try(Agent *a);
/* A request had no answer, or one that means "later". */
void link_failed(Agent *a, const HttpResult *result);
/* The same for a request of this worker, where the server's own 404 for @path means that the worker is not
 * registered. */
void link_ask_failed(Agent *a, const HttpResult *result, const char *path);

/* --- dequeue.c: how jobs come ---------------------------------------------------------------------- */

/* Asks for a job, if the link is up and there is room for one. */
void dequeue_go(Agent *a);
void dequeue_stop(Agent *a);
/* The server says that the job is ours. */
void adopt(Agent *a, const char *job_id);
Adoption *adoption_free(Adoption *d);

/* --- held-job.c: their life ------------------------------------------------------------------------ */

HeldJob *held_find(Agent *a, const char *job_id);
HeldJob *held_find_local(Agent *a, const char *local_id);
/* Takes @file. */
int held_new(Agent *a, HeldFile *file, HeldJob **ret);
HeldJob *held_free(HeldJob *h);
/* Submits it to our manager, which may have it already. */
void held_begin(HeldJob *h);
/* It has ended, or was never begun: takes @result. */
void held_ended(HeldJob *h, json_t *result);
/* It is not ours any more; @why is for the log. */
void held_drop(HeldJob *h, const char *why);
/* Nothing more is to be done about it: forgets it, file and all. */
void held_forget(HeldJob *h);
/* Asks our manager how it is. */
void held_look(HeldJob *h);

/* --- forward.c: from the journal to the server ----------------------------------------------------- */

/* There may be something to report. */
void forward_wake(HeldJob *h);
void forward_stop(HeldJob *h);
