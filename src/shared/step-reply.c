/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/step-reply.h"

#include "basic/log.h"

static void step_reply_free(StepReply *r) {
        TAILQ_REMOVE(&r->replies->replies, r, entries);
        sd_event_source_disable_unref(r->source);
        sd_bus_message_unref(r->call);
        r->type->free(r);
}

void step_replies_init(StepReplies *l, sd_event *event, void *daemon) {
        l->event = event;
        l->daemon = daemon;
        TAILQ_INIT(&l->replies);
}

void step_replies_done(StepReplies *l) {
        while (!TAILQ_EMPTY(&l->replies))
                step_reply_free(TAILQ_FIRST(&l->replies));
}

static int on_step(sd_event_source *source, void *userdata) {
        StepReply *reply = userdata;
        int r = reply->type->step(reply);

        if (r > 0)
                return 0;
        if (r == 0)
                r = reply->type->finish(reply);
        if (r < 0)
                r = sd_bus_reply_method_errno(reply->call, r, NULL);
        if (r < 0)
                log_warning_errno(r, "Failed to answer a client that lists %s: %m", reply->type->what);
        step_reply_free(reply);
        return 0;
}

int step_reply_start(StepReply *reply, const StepReplyType *type, StepReplies *l, sd_bus_message *call) {
        int r;

        reply->type = type;
        reply->replies = l;
        reply->call = sd_bus_message_ref(call);
        TAILQ_INSERT_TAIL(&l->replies, reply, entries);
        r = sd_event_add_defer(l->event, &reply->source, on_step, reply);
        if (r >= 0)
                r = sd_event_source_set_enabled(reply->source, SD_EVENT_ON);
        if (r >= 0)
                return 1;
        step_reply_free(reply);
        return r;
}
