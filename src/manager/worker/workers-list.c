/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/worker/workers-list.h"

#include <stdio.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/worker/worker.h"
#include "spec/capability.h"

/* So many are read in one step. */
#define STEP 100u

typedef struct WorkersList {
        Manager *manager;
        sd_bus_message *call;
        sd_event_source *source; /* the next step */
        int64_t seq; /* of the last one in the text */
        FILE *file; /* writes the text */
        char *text;
        size_t size;
        TAILQ_ENTRY(WorkersList) entries;
} WorkersList;

static WorkersList *workers_list_free(WorkersList *l) {
        if (!l)
                return NULL;
        if (l->manager)
                TAILQ_REMOVE(&l->manager->worker_lists, l, entries);
        sd_event_source_disable_unref(l->source);
        sd_bus_message_unref(l->call);
        if (l->file)
                (void) fclose(l->file);
        free(l->text);
        return mfree(l);
}
DEFINE_CLEANUP_FUNC(WorkersList *, workers_list_free);

void worker_lists_free(Manager *m) {
        while (!TAILQ_EMPTY(&m->worker_lists))
                workers_list_free(TAILQ_FIRST(&m->worker_lists));
}

json_t *worker_to_json(const Manager *m, const WorkerRow *row) {
        json_t *capabilities = json_loads(row->capabilities, 0, NULL),
               *info = json_loads(row->system_info, 0, NULL);

        return json_pack("{s:s, s:o, s:o, s:o, s:s?, s:o, s:o, s:b, s:I}", "worker_id", row->id,
                        "capabilities", capabilities ? capabilities : json_null(), "operations",
                        operations_to_json(row->capability_mask), "system_info", info ? info : json_null(),
                        "execution_mode", row->execution_mode, "registered_at",
                        json_time(row->registered_at), "heartbeat_at", json_time(row->heartbeat_at),
                        "active", worker_is_active(m, row), "jobs", (json_int_t) row->jobs);
}

/* 1: there are more, 0: that was all. */
static int add_some(WorkersList *l) {
        _cleanup_(worker_rows_done) WorkerRows rows = {};
        int r = store_workers_list(l->manager->store, l->seq, 0, STEP, &rows);

        for (size_t i = 0; r >= 0 && i < rows.n; i++) {
                _cleanup_json_ json_t *worker = worker_to_json(l->manager, &rows.rows[i]);

                (void) fputc(l->seq > 0 ? ',' : '[', l->file);
                l->seq = rows.rows[i].seq;
                if (!worker || json_dumpf(worker, l->file, JSON_COMPACT) < 0)
                        r = -ENOMEM;
        }
        return r < 0 ? r : rows.n == STEP;
}

static int reply(WorkersList *l) {
        (void) fputs(l->seq > 0 ? "]" : "[]", l->file);
        if (fflush(l->file) != 0 || ferror(l->file))
                return -ENOMEM;
        return sd_bus_reply_method_return(l->call, "s", l->text);
}

static int on_step(sd_event_source *source, void *userdata) {
        WorkersList *l = userdata;
        int r = add_some(l);

        if (r > 0)
                return 0;
        if (r == 0)
                r = reply(l);
        if (r < 0)
                r = sd_bus_reply_method_errno(l->call, r, NULL);
        if (r < 0)
                log_warning_errno(r, "Failed to answer a client that lists the workers: %m");
        workers_list_free(l);
        return 0;
}

int method_list_workers(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(workers_list_freep) WorkersList *l = new0(WorkersList, 1);
        Manager *m = userdata;
        int r;

        if (!l)
                return -ENOMEM;
        l->file = open_memstream(&l->text, &l->size);
        if (!l->file)
                return -ENOMEM;
        r = sd_event_add_defer(m->event, &l->source, on_step, l);
        if (r >= 0)
                r = sd_event_source_set_enabled(l->source, SD_EVENT_ON);
        if (r < 0)
                return r;
        l->call = sd_bus_message_ref(message);
        l->manager = m;
        TAILQ_INSERT_TAIL(&m->worker_lists, l, entries);
        TAKE_PTR(l);
        return 1;
}
