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

static int find_held(Manager *m, const char *id, const char *worker, Job **ret, sd_bus_error *error) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        Job *j;
        int r;

        commit_group_settle(m->group);
        j = manager_get_job(m, id);
        if (j && job_is_held(j) && streq(j->row->worker_id, worker)) {
                *ret = j;
                return 0;
        }
        r = job_id_is_valid(id) ? store_job_get(m->store, id, &row) : -ENOENT;
        if (r == -ENOENT)
                return bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_JOB, "There is no job %s",
                                job_id_is_valid(id) ? id : "with such an id");
        return r < 0 ? r
                     : bus_error_setf(error, HYPER_BUS_ERROR_NOT_HELD,
                                       "Job %s is %s, and not held by worker %s", id,
                                       job_state_to_string(row->state),
                                       worker_id_is_valid(worker) ? worker : "with such an id");
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

int manager_report_events(Manager *m, const char *id, const char *worker, const char *text,
                JsonErrors *fields, sd_bus_error *error) {
        _cleanup_(worker_events_done) WorkerEvents events = {};
        Job *j;
        int r = find_held(m, id, worker, &j, error);

        if (r < 0)
                return r;
        r = worker_events_parse(text, &events, fields);
        if (r == -EBADMSG)
                return bus_error_set_fields(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, fields);
        if (r >= 0)
                r = store_worker_heard(m->store, worker, m->clock());
        if (r >= 0 && j->row->state == JOB_ASSIGNED)
                r = job_run(j);
        for (size_t i = 0; r >= 0 && i < events.n; i++)
                r = tell_event(j, &events.events[i]);
        if (r >= 0)
                progress_wake(m);
        return r;
}

/* --- results --------------------------------------------------------------------------------------- */

int manager_report_result(Manager *m, const char *id, const char *worker, const char *text,
                JsonErrors *fields, sd_bus_error *error) {
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
        r = store_worker_heard(m->store, worker, m->clock());
        if (r < 0)
                return r;
        AttemptFacts facts = attempt_facts(j);
        facts.report = document;
        facts.report_completed = result.completed;
        facts.report_final = result.retry_useless;
        facts.report_message = result.message;
        return executor_worker_end(j, &facts);
}
