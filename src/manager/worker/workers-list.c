/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/worker/workers-list.h"

#include <stdio.h>

#include "basic/string-util.h"
#include "manager/worker/worker.h"
#include "shared/step-reply.h"
#include "spec/capability.h"
#include "spec/label.h"

/* So many are read in one step. */
#define STEP 100u

typedef struct WorkersList {
        StepReply reply;
        int64_t seq; /* of the last one in the text */
        FILE *file; /* writes the text */
        char *text;
        size_t size;
} WorkersList;

static WorkersList *list_of(StepReply *r) {
        return CONTAINER_OF(r, WorkersList, reply);
}

static void list_free(StepReply *r) {
        WorkersList *l = list_of(r);

        (void) fclose(l->file);
        free(l->text);
        free(l);
}

json_t *worker_to_json(const Manager *m, const WorkerRow *row) {
        json_t *capabilities = json_loads(row->capabilities, 0, NULL),
               *info = json_loads(row->system_info, 0, NULL);

        return json_pack("{s:s, s:o, s:o, s:o, s:s?, s:o, s:o, s:o, s:b, s:I}", "worker_id", row->id,
                        "capabilities", capabilities ? capabilities : json_null(), "operations",
                        operations_to_json(row->capability_mask), "system_info", info ? info : json_null(),
                        "execution_mode", row->execution_mode, "labels", labels_to_json(row->labels),
                        "registered_at", json_time(row->registered_at), "heartbeat_at",
                        json_time(row->heartbeat_at), "active", worker_is_active(m, row), "jobs",
                        (json_int_t) row->jobs);
}

/* 1: there are more, 0: that was all. */
static int add_some(StepReply *reply) {
        _cleanup_(worker_rows_done) WorkerRows rows = {};
        Manager *m = reply->replies->daemon;
        WorkersList *l = list_of(reply);
        int r = store_workers_list(m->store, l->seq, 0, STEP, &rows);

        for (size_t i = 0; r >= 0 && i < rows.n; i++) {
                _cleanup_json_ json_t *worker = worker_to_json(m, &rows.rows[i]);

                (void) fputc(l->seq > 0 ? ',' : '[', l->file);
                l->seq = rows.rows[i].seq;
                if (!worker || json_dumpf(worker, l->file, JSON_COMPACT) < 0)
                        r = -ENOMEM;
        }
        return r < 0 ? r : rows.n == STEP;
}

/* libsystemd checks a string that it copies, which takes a few milliseconds for some megabytes. JSON that was
 * made here is UTF-8. */
static int reply_text(sd_bus_message *call, const char *text, size_t size) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        char *space;
        int r = sd_bus_message_new_method_return(call, &reply);

        if (r >= 0)
                r = sd_bus_message_append_string_space(reply, size, &space);
        if (r < 0)
                return r;
        memcpy(space, text, size);
        return sd_bus_send(NULL, reply, NULL);
}

static int finish(StepReply *reply) {
        WorkersList *l = list_of(reply);

        (void) fputs(l->seq > 0 ? "]" : "[]", l->file);
        if (fflush(l->file) != 0 || ferror(l->file))
                return -ENOMEM;
        return reply_text(reply->call, l->text, l->size);
}

static const StepReplyType workers_list = {
        .what = "the workers", .step = add_some, .finish = finish, .free = list_free
};

int method_list_workers(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        WorkersList *l = new0(WorkersList, 1);
        Manager *m = userdata;

        if (!l)
                return -ENOMEM;
        l->file = open_memstream(&l->text, &l->size);
        if (!l->file) {
                free(l);
                return -ENOMEM;
        }
        return step_reply_start(&l->reply, &workers_list, &m->replies, message);
}
