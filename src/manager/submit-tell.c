/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/submit-tell.h"

#include "basic/string-util.h"
#include "journal/job-event.h"
#include "manager/manager.h"
#include "manager/worker/worker-local.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"
#include "spec/capability.h"
#include "spec/job-demand.h"
#include "store/jobs.h"

static void tell_warnings(Job *j, char *const *warnings) {
        STRV_FOREACH(w, warnings) {
                JobEvent e = JOB_EVENT_INIT(EVENT_NOTE);

                e.job_id = j->row->id;
                e.message = *w;
                (void) job_event_send(&e);
        }
}

/* A job may wait for a worker that does not exist yet. Its log says so. */
static void tell_nobody_can(Job *j) {
        const JobDemand d = job_demand_unpack(j->row->demand);
        _cleanup_free_ char *capabilities = NULL, *message = NULL;
        JobEvent e = JOB_EVENT_INIT(EVENT_NOTE);
        bool can;

        if (d.capabilities & DEMAND_SLURM || worker_is_local(j->manager->settings, j) ||
                        store_workers_can(j->store, &d, &can) < 0 || can)
                return;
        capabilities = capabilities_to_text(d.capabilities);
        message = capabilities ? strprintf("No worker that is registered can do this job: it waits for one "
                                           "that does %s, with "
                                           "%s%s",
                                                 j->row->operation, capabilities,
                                                 d.memory_gb > 0 || d.disk_gb > 0
                                                                 ? ", and enough memory and disk space"
                                                                 : "")
                               : NULL;
        e.job_id = j->row->id;
        e.message = message;
        if (message)
                (void) job_event_send(&e);
}

void submit_tell(Job *j, char *const *warnings) {
        tell_warnings(j, warnings);
        tell_nobody_can(j);
}

int submit_refuse_files(int r, const JsonErrors *why, JsonErrors *fields, sd_bus_error *error) {
        const char *name = r == -EPERM                   ? HYPER_BUS_ERROR_PATH_REFUSED
                        : r == -ETIMEDOUT || r == -EBUSY ? HYPER_BUS_ERROR_UNAVAILABLE
                                                         : HYPER_BUS_ERROR_INVALID_SPEC;

        if (why->n_errors == 0)
                return r;
        r = json_errors_adopt(fields, "", why);
        return r < 0 ? r : bus_error_set_fields(error, name, fields);
}
