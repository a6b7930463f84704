/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A long reply to a bus call, made in steps: the event loop serves others between them. */

#include <sys/queue.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

typedef struct StepReply StepReply;

/* The replies that a daemon is making. */
typedef struct StepReplies {
        sd_event *event;
        void *daemon; /* for the steps */
        TAILQ_HEAD(, StepReply) replies;
} StepReplies;

typedef struct StepReplyType {
        const char *what; /* that is listed, for the log */
        /* Adds some to the reply. 1: there are more, 0: that was all. Negative errno: the call is answered
         * with it. */
        int (*step)(StepReply *r);
        int (*finish)(StepReply *r); /* sends the reply */
        void (*free)(StepReply *r); /* the object that contains @r */
} StepReplyType;

/* To be contained in the object of a reply. */
struct StepReply {
        const StepReplyType *type;
        StepReplies *replies;
        sd_bus_message *call;
        sd_event_source *source; /* the next step */
        TAILQ_ENTRY(StepReply) entries;
};

/* @event must exist until step_replies_done(). */
void step_replies_init(StepReplies *l, sd_event *event, void *daemon);
/* Those that are not complete are not sent. @l may be zeroed. */
void step_replies_done(StepReplies *l);

/* Begins the reply to @call. @r, which is zeroed, is taken over, also on failure. 1 as a method's handler
 * returns it, or negative errno. */
int step_reply_start(StepReply *r, const StepReplyType *type, StepReplies *l, sd_bus_message *call);
