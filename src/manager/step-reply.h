/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A long reply to a bus call, made in steps: the event loop serves others between them. */

#include "manager/manager.h"

typedef struct StepReply StepReply;

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
        Manager *manager;
        sd_bus_message *call;
        sd_event_source *source; /* the next step */
        TAILQ_ENTRY(StepReply) entries;
};

/* Begins the reply to @call. @r, which is zeroed, is taken over, also on failure. 1 as a method's handler
 * returns it, or negative errno. */
int step_reply_start(StepReply *r, const StepReplyType *type, Manager *m, sd_bus_message *call);

/* Those that are not complete are not sent. */
void step_replies_free(Manager *m);
