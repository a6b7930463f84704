/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/worker/worker-refusal.h"

#include "basic/string-util.h"
#include "shared/error-table.h"
#include "spec/capability.h"
#include "spec/job-demand.h"
#include "store/jobs.h"
#include "store/lease.h"

/* The lease of who has it, or this machine. */
static int explain_holder(Manager *m, const JobRow *row, sd_bus_error *error) {
        _cleanup_(worker_row_freep) WorkerRow *worker = NULL;
        usec_t now = m->clock(), until;
        char span[TIMESPAN_SIZE];
        int r;

        if (!row->worker_id)
                return bus_error_setf(error, HYPER_BUS_ERROR_JOB_UNAVAILABLE,
                                "Job %s is executed by the server itself", row->id);
        r = store_worker_get(m->store, row->worker_id, &worker);
        if (r < 0)
                return r;
        until = MAX(worker->heartbeat_at, m->started_at) + WORKER_LEASE;
        return bus_error_setf(error, HYPER_BUS_ERROR_JOB_UNAVAILABLE,
                        "Job %s is held by worker %s, whose lease ends in %s if it is not heard from",
                        row->id, row->worker_id, format_timespan(span, until > now ? until - now : 0));
}

static char *capability_names(uint32_t mask) {
        char *text = strdup("");

        for (int c = 0; text && c < _CAPABILITY_MAX; c++) {
                if (!(mask & 1u << c))
                        continue;
                char *more = strprintf("%s%s%s", text, *text ? ", " : "", capability_to_string(c));
                free(text);
                text = more;
        }
        return text;
}

static int explain_demand(const WorkerOffer *o, const JobRow *row, sd_bus_error *error) {
        JobDemand d = job_demand_unpack(row->demand);
        uint32_t missing = d.capabilities & ~o->capabilities;
        _cleanup_free_ char *names = capability_names(missing & CAPABILITY_BITS);

        if (!names)
                return -ENOMEM;
        if (missing & CAPABILITY_BITS)
                return bus_error_setf(error, HYPER_BUS_ERROR_NOT_SUPPORTED,
                                "Job %s requires capabilities that worker %s lacks: %s", row->id,
                                o->worker_id, names);
        if (missing)
                return bus_error_setf(error, HYPER_BUS_ERROR_NOT_SUPPORTED,
                                "Worker %s does not carry out the operation %s of job %s", o->worker_id,
                                row->operation, row->id);
        return bus_error_setf(error, HYPER_BUS_ERROR_NOT_SUPPORTED,
                        "Job %s requires %u GiB of memory and %u GiB of disk space, and worker %s has less",
                        row->id, d.memory_gb, d.disk_gb, o->worker_id);
}

/* Lines become one, separated by commas. */
static void list_in_line(char *text) {
        for (char *p = text; p && (p = strchr(p, '\n'));)
                *p = ',';
}

static int explain_waiting(Manager *m, const WorkerOffer *o, const JobRow *row, sd_bus_error *error) {
        _cleanup_free_ char *labels = strdup(strempty(o->labels));
        usec_t now = m->clock();
        char span[TIMESPAN_SIZE];
        PlacementFit fit;
        int r;

        if (!labels)
                return -ENOMEM;
        list_in_line(labels);
        if (!row->any_worker)
                return bus_error_setf(error, HYPER_BUS_ERROR_NOT_SUPPORTED,
                                "Job %s is not for workers: it has a secret, or was not submitted with "
                                "queue=true",
                                row->id);
        if (!worker_offer_meets(o, row->demand))
                return explain_demand(o, row, error);
        r = worker_offer_fit(m->store, o, row, &fit);
        if (r < 0)
                return r;
        if (fit == PLACEMENT_REFUSED)
                return bus_error_setf(error, HYPER_BUS_ERROR_NOT_SUPPORTED,
                                "The placement of job %s does not allow worker %s, whose labels are: %s",
                                row->id, o->worker_id, isempty(labels) ? "none" : labels);
        if (row->waits_for) {
                _cleanup_free_ char *names = strdup(row->waits_for);

                list_in_line(names);
                return names ? bus_error_setf(error, HYPER_BUS_ERROR_JOB_UNAVAILABLE, "Job %s waits for %s",
                                               row->id, names)
                             : -ENOMEM;
        }
        return row->due_at > now ? bus_error_setf(error, HYPER_BUS_ERROR_JOB_UNAVAILABLE,
                                                   "Job %s is %s, and is tried again in %s", row->id,
                                                   job_state_to_string(row->state),
                                                   format_timespan(span, row->due_at - now))
                                 : bus_error_setf(error, HYPER_BUS_ERROR_JOB_UNAVAILABLE,
                                                   "Job %s is %s, and cannot be assigned yet", row->id,
                                                   job_state_to_string(row->state));
}

int worker_explain_refusal(Manager *m, const WorkerOffer *o, sd_bus_error *error) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        int r = store_job_get(m->store, o->job_id, &row);

        if (r == -ENOENT)
                return bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_JOB, "There is no job %s", o->job_id);
        if (r < 0)
                return r;
        if (job_state_is_terminal(row->state))
                return bus_error_setf(error, HYPER_BUS_ERROR_JOB_FINISHED, "Job %s has ended: it is %s",
                                row->id, job_state_to_string(row->state));
        if (row->state == JOB_ASSIGNED || row->state == JOB_RUNNING)
                return explain_holder(m, row, error);
        return explain_waiting(m, o, row, error);
}
