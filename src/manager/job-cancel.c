/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/job-cancel.h"

#include "manager/executors.h"
#include "manager/manager.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/executor.h"
#include "manager/job-directory.h"
#include "shared/error-table.h"
#include "spec/job-file.h"

static int refuse_finished(sd_bus_error *error, const JobRow *row) {
        return bus_error_setf(error, HYPER_BUS_ERROR_JOB_FINISHED, "Job %s is %s already", row->id,
                        job_state_to_string(row->state));
}

/* Why there is no such unfinished job. */
static int refuse_unknown(Manager *m, const char *id, sd_bus_error *error) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        int r = job_id_is_valid(id) ? store_job_get(m->store, id, &row) : -ENOENT;

        if (r == -ENOENT)
                return no_such_job(error, id);
        return r < 0 ? r : refuse_finished(error, row);
}

/* "hyper-job define-end" sees the mark, and says that this is the end. */
static int stop_sending(Job *j, const char *directory, sd_bus_error *error) {
        int r = job_mark_set(directory, JOB_MARK_SEND_STOPPED);

        if (r < 0)
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                                "The cancel of job %s could not be recorded: %s", j->row->id, strerror(-r));
        executor_of(j)->stop(j);
        return 0;
}

static int cancel(Manager *m, Job *j, const char *reason, sd_bus_error *error) {
        _cleanup_free_ char *directory = job_directory_path(m->state_directory, j->row->id);
        int r = 0, marked;

        if (!directory)
                return -ENOMEM;
        if (job_is_finished(j))
                return refuse_finished(error, j->row);
        if (j->unit.stage != UNIT_NONE)
                r = job_mark_claim(directory, JOB_MARK_CANCELLED);
        /* All that is left to stop is the proof of boot, or the way of the disks to another host. */
        if (r == -EALREADY && job_mark_is_set(directory, JOB_MARK_BOOTING) > 0) {
                executor_of(j)->stop(j);
                return 0;
        }
        if (r == -EALREADY && job_mark_is_set(directory, JOB_MARK_SENDING) > 0)
                return stop_sending(j, directory, error);
        /* Its end is only not recorded yet. */
        if (r == -EALREADY)
                return bus_error_setf(error, HYPER_BUS_ERROR_JOB_FINISHED,
                                "Job %s is complete: its output is just being given its name", j->row->id);
        if (r < 0 && r != -ENOENT)
                log_warning_errno(r, "Failed to claim the end of job %s in %s: %m", j->row->id, directory);
        r = job_follow(j, job_cancel(j, reason));
        if (r < 0)
                (void) job_mark_release(directory);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                                "The cancel of job %s could not be recorded: %s", j->row->id,
                                store_error_text(m->store));

        /* From here on the job is cancelled, whatever fails: a start of the manager would go on with
         * this. */
        marked = job_mark_set(directory, JOB_MARK_CANCELLED);
        if (marked < 0 && marked != -ENOENT)
                log_error_errno(marked, "Failed to mark job %s as cancelled in %s: %m", j->row->id,
                                directory);
        executor_of(j)->stop(j);
        return 0;
}

int manager_cancel_job_because(Manager *m, const char *id, const char *reason, sd_bus_error *error) {
        Job *j;

        /* A worker may just be getting it, or have reported its end. */
        commit_group_settle(m->group);
        j = manager_get_job(m, id);
        return j ? cancel(m, j, reason, error) : refuse_unknown(m, id, error);
}

int manager_cancel_job(Manager *m, const char *id, sd_bus_error *error) {
        return manager_cancel_job_because(m, id, "Cancelled on request", error);
}
