/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs that workers hold: how they go on, how they end, and how they are lost. */

#include "manager/worker/worker-report.h"

#include "basic/string-util.h"
#include "dialect/worker-message.h"
#include "journal/job-event.h"
#include "manager/attempt-end.h"
#include "manager/executor-worker.h"
#include "manager/manager.h"
#include "manager/progress.h"
#include "manager/worker/worker.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"
#include "shared/machine.h"
#include "spec/capability.h"
#include "spec/job-demand.h"
#include "store/jobs.h"
#include "json/json-redact.h"

/* --- reports --------------------------------------------------------------------------------------- */

static Job *get_held(Manager *m, const char *id, const char *worker) {
        Job *j = manager_get_job(m, id);

        return j && !j->changes && job_is_held(j) && streq(j->row->worker_id, worker) ? j : NULL;
}

static int find_held(Manager *m, const char *id, const char *worker, Job **ret, sd_bus_error *error) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        Job *j = get_held(m, id, worker);
        int r;

        /* What the worker has reported before, or that it got the job, may just be being recorded. */
        if (!j) {
                commit_group_settle(m->group);
                j = get_held(m, id, worker);
        }
        if (j) {
                *ret = j;
                return 0;
        }
        r = job_id_is_valid(id) ? store_job_get(m->store, id, &row) : -ENOENT;
        if (r == -ENOENT)
                return no_such_job(error, id);
        return r < 0 ? r
                     : bus_error_setf(error, HYPER_BUS_ERROR_NOT_HELD,
                                       "Job %s is %s, and not held by worker %s", id,
                                       job_state_to_string(row->state),
                                       worker_id_is_valid(worker) ? worker : "with such an id");
}

/* Any report counts as a heartbeat. It belongs to the group, if there is one or @grouped says that there will
 * be: alone it needs no flush. */
static int record_heard(Manager *m, const char *worker, bool grouped) {
        int r;

        if (!grouped && commit_group_pending(m->group) == 0)
                return store_worker_heard(m->store, worker, m->clock());
        r = commit_group_enter(m->group);
        if (r < 0)
                return r;
        r = store_worker_heard(m->store, worker, m->clock());
        commit_group_leave(m->group, NULL, NULL);
        return r;
}

/* The journal first, as for every event. A phase that is not one of ours goes into the details; percentages
 * never go back. */
static int tell_event(Job *j, WorkerEvent *e) {
        JobEvent event = JOB_EVENT_INIT(EVENT_PROGRESS);
        double percent = MAX(e->percent, j->row->percent);
        int r;

        /* Reported again because the acknowledgement was lost. */
        if (e->sequence > 0 && e->sequence <= j->told_sequence)
                return 0;
        event.job_id = j->row->id;
        event.phase = job_phase_from_string(e->phase);
        event.percent = percent;
        event.message = e->message ? e->message : e->phase;
        event.details = e->details;
        if (e->phase && event.phase < 0) {
                if (!e->details && !(e->details = json_object()))
                        return -ENOMEM;
                if (json_object_set_new(e->details, "phase", json_string(e->phase)) < 0)
                        return -ENOMEM;
                event.details = e->details;
        }
        event.details = event.details ? json_redact(event.details) : NULL;
        r = job_event_send(&event);
        json_decref(event.details);
        if (r < 0)
                return r;
        j->told_sequence = MAX(j->told_sequence, e->sequence);
        job_progress(j, event.phase >= 0 ? event.phase : j->row->phase, percent, j->row->bytes_done,
                        j->row->bytes_total, j->row->rate);
        return 0;
}

/* The events of a worker, until it is durable that the job is RUNNING. */
typedef struct Report {
        Job *job;
        WorkerEvents events;
        report_done done;
        void *userdata;
} Report;

static int tell_events(Job *j, const WorkerEvents *events) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < events->n; i++)
                r = tell_event(j, &events->events[i]);
        if (r >= 0)
                progress_wake(j->manager);
        return r;
}

static void on_begun(int r, void *userdata) {
        _cleanup_free_ Report *p = userdata;
        Manager *m = p->job->manager;

        r = job_follow(p->job, r);
        if (r >= 0)
                r = tell_events(p->job, &p->events);
        worker_events_done(&p->events);
        p->done(m, r, p->userdata);
}

/* With the first events the job begins. Takes @events on success. */
static int begin(Job *j, WorkerEvents *events, report_done done, void *userdata) {
        _cleanup_free_ Report *p = new0(Report, 1);
        Manager *m = j->manager;
        int r;

        if (!p)
                return -ENOMEM;
        r = commit_group_enter(m->group);
        if (r < 0)
                return r;
        r = job_run(j);
        commit_group_leave(m->group, r < 0 ? NULL : on_begun, r < 0 ? NULL : p);
        if (r < 0)
                return r;
        *p = (Report){ .job = j, .events = *events, .done = done, .userdata = userdata };
        *events = (WorkerEvents){};
        TAKE_PTR(p);
        return 0;
}

int manager_report_events(Manager *m, const char *id, const char *worker, const char *text, report_done done,
                void *userdata, JsonErrors *fields, sd_bus_error *error) {
        _cleanup_(worker_events_done) WorkerEvents events = {};
        Job *j;
        int r = find_held(m, id, worker, &j, error);

        if (r < 0)
                return r;
        r = worker_events_parse(text, &events, fields);
        if (r == -EBADMSG)
                return bus_error_set_fields(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, fields);
        if (r >= 0)
                r = record_heard(m, worker, j->row->state == JOB_ASSIGNED);
        if (r < 0)
                return r;
        if (j->row->state == JOB_ASSIGNED)
                return begin(j, &events, done, userdata);
        r = tell_events(j, &events);
        if (r >= 0)
                done(m, 0, userdata);
        return r;
}

/* --- results --------------------------------------------------------------------------------------- */

int manager_report_result(Manager *m, const char *id, const char *worker, const char *text, report_done done,
                void *userdata, JsonErrors *fields, sd_bus_error *error) {
        _cleanup_(worker_result_done) WorkerResult result = {};
        _cleanup_json_ json_t *shown = NULL;
        _cleanup_free_ char *document = NULL;
        Job *j;
        int r = find_held(m, id, worker, &j, error);

        if (r < 0)
                return r;
        r = worker_result_parse(text, &result, fields);
        if (r == -EBADMSG)
                return bus_error_set_fields(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, fields);
        if (r < 0)
                return r;
        shown = json_redact(result.document);
        document = shown ? json_dumps(shown, JSON_COMPACT) : NULL;
        if (!document)
                return -ENOMEM;
        r = record_heard(m, worker, true);
        if (r < 0)
                return r;
        AttemptFacts facts = attempt_facts(j);
        facts.report = document;
        facts.report_completed = result.completed;
        facts.report_final = result.retry_useless;
        facts.report_message = result.message;
        return executor_worker_end(j, &facts, done, userdata);
}
