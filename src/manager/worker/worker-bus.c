/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The methods of org.hyper1.Manager about workers and the queue. */

#include "manager/worker/worker-bus.h"
#include "shared/bus-fields.h"
#include "store/jobs-list.h"
#include "store/limits.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/manager.h"
#include "manager/worker/worker-report.h"
#include "manager/worker/worker.h"
#include "manager/worker/workers-list.h"

static const char manage_workers[] = "org.hyper1.manage-workers";

static int reply_json(sd_bus_message *message, json_t *value) {
        _cleanup_free_ char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

        return text ? sd_bus_reply_method_return(message, "s", text) : -ENOMEM;
}

int method_register_worker(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(json_errors_done) JsonErrors fields = {};
        Manager *m = userdata;
        const char *worker;
        bool created;
        int r = bus_verify_polkit(message, manage_workers, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &worker);
        if (r >= 0)
                r = manager_register_worker(m, worker, &created, &fields, error);
        return r < 0 ? bus_reply_fields_error(message, r, error, &fields)
                     : sd_bus_reply_method_return(message, "b", (int) created);
}

int method_unregister_worker(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        const char *id;
        int r = bus_verify_polkit(message, manage_workers, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &id);
        if (r >= 0)
                r = manager_unregister_worker(m, id, error);
        return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

static int append_ids(sd_bus_message *reply, const JobRows *rows) {
        int r = sd_bus_message_open_container(reply, 'a', "s");

        for (size_t i = 0; r >= 0 && i < rows->n; i++)
                r = sd_bus_message_append(reply, "s", rows->rows[i]->id);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* The answer to a heartbeat that came while a group was being written. */
static void on_committed(int r, void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = userdata;

        /* (A heartbeat that is not answered is repeated.) */
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        if (r < 0)
                log_warning_errno(r, "Failed to answer the heartbeat of a worker: %m");
}

static int heartbeat_reply(Manager *m, sd_bus_message *message, const char *id, sd_bus_message **ret,
                sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(job_rows_done) JobRows jobs = {}, cancelled = {};
        int r = manager_worker_heard(m, id, &jobs, &cancelled, error);

        if (r < 0)
                return r;
        r = sd_bus_message_new_method_return(message, &reply);
        if (r < 0)
                return r;
        r = append_ids(reply, &jobs);
        if (r < 0)
                return r;
        r = append_ids(reply, &cancelled);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(reply);
        return 0;
}

int method_heartbeat(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Manager *m = userdata;
        const char *id;
        int r = bus_verify_polkit(message, manage_workers, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &id);
        if (r < 0)
                return r;
        /* Alone it needs no flush; in a group it must not part it. */
        if (commit_group_pending(m->group) == 0) {
                r = heartbeat_reply(m, message, id, &reply, error);
                return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
        }
        r = commit_group_enter(m->group);
        if (r < 0)
                return r;
        r = heartbeat_reply(m, message, id, &reply, error);
        commit_group_leave(m->group, r < 0 ? NULL : on_committed, r < 0 ? NULL : TAKE_PTR(reply));
        return r < 0 ? r : 1;
}

int method_get_worker(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(worker_row_freep) WorkerRow *row = NULL;
        _cleanup_json_ json_t *worker = NULL;
        Manager *m = userdata;
        const char *id;
        int r = sd_bus_message_read(message, "s", &id);

        if (r < 0)
                return r;
        r = worker_id_is_valid(id) ? store_worker_get(m->store, id, &row) : -ENOENT;
        if (r < 0)
                return r == -ENOENT ? no_such_worker(error, id) : r;
        worker = worker_to_json(m, row);
        return reply_json(message, worker);
}

static void on_dequeued(Manager *m, int r, const char *spec, void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = userdata;

        r = r < 0 ? sd_bus_reply_method_errno(call, r, NULL)
                  : sd_bus_reply_method_return(call, "bs", spec != NULL, strempty(spec));
        if (r < 0)
                log_warning_errno(r, "Failed to answer a worker that asks for a job: %m");
}

int method_dequeue(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(json_errors_done) JsonErrors fields = {};
        Manager *m = userdata;
        const char *worker;
        int r = bus_verify_polkit(message, manage_workers, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &worker);
        if (r < 0)
                return r;
        r = manager_dequeue(m, worker, on_dequeued, sd_bus_message_ref(message), &fields, error);
        if (r >= 0)
                return 1;
        sd_bus_message_unref(message);
        return bus_reply_fields_error(message, r, error, &fields);
}

typedef int (*report_func)(Manager *m, const char *id, const char *worker, const char *text,
                report_done done, void *userdata, JsonErrors *fields, sd_bus_error *error);

static void on_reported(Manager *m, int r, void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = userdata;

        r = r < 0 ? sd_bus_reply_method_errno(call, r, NULL) : sd_bus_reply_method_return(call, NULL);
        if (r < 0)
                log_warning_errno(r, "Failed to answer the report of a worker: %m");
}

static int report(sd_bus_message *message, Manager *m, report_func func, sd_bus_error *error) {
        _cleanup_(json_errors_done) JsonErrors fields = {};
        const char *job, *worker, *text;
        int r = bus_verify_polkit(message, manage_workers, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "sss", &job, &worker, &text);
        if (r < 0)
                return r;
        r = func(m, job, worker, text, on_reported, sd_bus_message_ref(message), &fields, error);
        if (r >= 0)
                return 1;
        sd_bus_message_unref(message);
        return bus_reply_fields_error(message, r, error, &fields);
}

int method_report_events(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return report(message, userdata, manager_report_events, error);
}

int method_report_result(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return report(message, userdata, manager_report_result, error);
}

int method_list_limits(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Manager *m = userdata;
        LimitUse *uses = NULL;
        size_t n = 0;
        int r = store_limits_in_use(m->store, &uses, &n);

        if (r >= 0)
                r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(suu)");
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = sd_bus_message_append(reply, "(suu)", uses[i].name, (uint32_t) uses[i].held,
                                (uint32_t) uses[i].max);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        limit_uses_free(uses, n);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

int method_queue_status(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(queue_status_done) QueueStatus q = {};
        Manager *m = userdata;
        int r = store_queue_status(m->store, &q);

        if (r >= 0)
                r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "t", q.total);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "{ut}");
        for (size_t i = 0; r >= 0 && i < q.n_priorities; i++)
                r = sd_bus_message_append(
                                reply, "{ut}", (uint32_t) q.priorities[i].priority, q.priorities[i].n);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}
