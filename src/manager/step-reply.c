/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/step-reply.h"

#include "basic/log.h"

static void step_reply_free(StepReply *r) {
        TAILQ_REMOVE(&r->manager->step_replies, r, entries);
        sd_event_source_disable_unref(r->source);
        sd_bus_message_unref(r->call);
        r->type->free(r);
}

void step_replies_free(Manager *m) {
        while (!TAILQ_EMPTY(&m->step_replies))
                step_reply_free(TAILQ_FIRST(&m->step_replies));
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

int step_reply_start(StepReply *reply, const StepReplyType *type, Manager *m, sd_bus_message *call) {
        int r;

        reply->type = type;
        reply->manager = m;
        reply->call = sd_bus_message_ref(call);
        TAILQ_INSERT_TAIL(&m->step_replies, reply, entries);
        r = sd_event_add_defer(m->event, &reply->source, on_step, reply);
        if (r >= 0)
                r = sd_event_source_set_enabled(reply->source, SD_EVENT_ON);
        if (r >= 0)
                return 1;
        step_reply_free(reply);
        return r;
}
