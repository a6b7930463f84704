/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "manager/executor-unit-end.h"

#include <sys/stat.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/attempt-end.h"
#include "manager/executor-unit.h"
#include "manager/job-directory.h"
#include "manager/manager.h"
#include "manager/queue.h"
#include "spec/job-file.h"

/* Where the file system does not answer, nothing is known to be there. */
static bool exists(Job *j, const char *path) {
        return lookup_exists(j->manager->lookups, path) > 0;
}

/* When this attempt began, from the history of the job. */
static usec_t attempt_began(Job *j) {
        JobStateRow *rows = NULL;
        usec_t began = 0;
        size_t n = 0;

        if (store_job_states(j->store, j->row->id, &rows, &n) < 0)
                return 0;
        for (size_t i = 0; i < n; i++)
                if (rows[i].state == JOB_ASSIGNED || rows[i].state == JOB_RUNNING)
                        began = rows[i].timestamp;
        job_state_rows_free(rows, n);
        return began;
}

/* The job wrote its result when SIGTERM came: was that when its time was over? */
static bool deadline_passed(Job *j, const char *directory) {
        _cleanup_free_ char *path = strprintf("%s/" JOB_RESULTS_DIRECTORY "/result.json", directory);
        usec_t began = attempt_began(j);
        struct stat st;

        if (!path || j->row->timeout_seconds == 0 || began == 0 || lstat(path, &st) < 0)
                return false;
        return (usec_t) st.st_mtime * USEC_PER_SEC + st.st_mtim.tv_nsec / NSEC_PER_USEC >=
                        began + j->row->timeout_seconds * USEC_PER_SEC;
}

/* What was written to an NBD server has no other name: it is complete when the job says so. */
static bool needs_no_publishing(const Job *j, const JobPlan *plan, const JobResult *result) {
        return plan && !endpoint_needs(&plan->spec->destination, ENDPOINT_NEEDS_FILES) && result &&
                        result->outcome == OUTCOME_COMPLETED &&
                        (!j->unit.result || streq(j->unit.result, "success"));
}

/* Adds to @f what the unit left behind. @ret_result keeps what the facts point to. */
static int gather(Job *j, const JobPlan *plan, const char *directory, AttemptFacts *f,
                JobResult **ret_result) {
        _cleanup_(job_result_freep) JobResult *result = NULL;
        int published = job_mark_is_set(directory, JOB_MARK_PUBLISHED);
        int r = job_result_read(directory, &result);

        /* No directory: we were cut off between recording that the attempt begins and making it. */
        if (published == -ENOENT)
                published = 0;
        if (published < 0)
                return published;
        if (r == -ENOMEM)
                return r;
        /* A result of another attempt says nothing about this one. */
        if (result && result->attempt != j->row->attempt)
                result = job_result_free(result);
        f->published = published > 0 || needs_no_publishing(j, plan, result);
        /* (Looked at only where it says why the output has no name.) */
        f->destination_exists = published == 0 && result && result->outcome == OUTCOME_COMPLETED && plan &&
                        plan->spec->destination.path && exists(j, plan->spec->destination.path);
        f->deadline_passed = result && deadline_passed(j, directory);
        f->result = result;
        f->result_unreadable = r < 0 && r != -ENOENT;
        f->unit_result = j->unit.result;
        f->exit_code = j->unit.exit_code;
        f->exit_status = j->unit.exit_status;
        *ret_result = TAKE_PTR(result);
        return 0;
}

/* The work is complete, but finish was not: it was cut off together with the machine. */
static bool needs_finish(const Job *j, const AttemptFacts *f) {
        return f->result && f->result->outcome == OUTCOME_COMPLETED && !f->published &&
                        !j->unit.finish_tried;
}

/* The attempt is over, unless finish still has to be run. @j may be freed. */
static int end_attempt(Job *j, const char *start_error) {
        _cleanup_free_ char *directory = job_directory_path(j->manager->state_directory, j->row->id);
        _cleanup_(job_result_freep) JobResult *result = NULL;
        _cleanup_(job_plan_freep) JobPlan *plan = NULL;
        AttemptFacts facts = attempt_facts(j);
        int r;

        if (!directory)
                return -ENOMEM;
        /* A cancel that we were cut off from recording; the output was not published then. */
        if (job_mark_is_claimed(directory, JOB_MARK_CANCELLED) > 0) {
                r = job_cancel(j, "Cancelled on request");
                if (r < 0)
                        return r;
                r = job_mark_set(directory, JOB_MARK_CANCELLED);
                if (r < 0)
                        return r;
                attempt_leave(j);
                return 0;
        }
        r = job_plan_read(directory, &plan);
        if (r == -ENOMEM)
                return r;
        facts.start_error = start_error;
        r = gather(j, plan, directory, &facts, &result);
        if (r < 0)
                return r;
        if (needs_finish(j, &facts) && executor_unit_finish(j) >= 0)
                return 0;
        return attempt_end(j, &facts);
}

void executor_unit_gone(Job *j, const char *start_error) {
        bool again = j->unsettled;
        Manager *m = j->manager;
        int r;

        j->unit.stage = UNIT_NONE;
        j->unit.start_call = sd_bus_slot_unref(j->unit.start_call);
        j->unit.properties_match = sd_bus_slot_unref(j->unit.properties_match);
        j->unit.start_job = mfree(j->unit.start_job);
        j->unsettled = false;
        if (job_is_finished(j))
                attempt_leave(j);
        else {
                r = end_attempt(j, start_error);
                if (r < 0) {
                        log_error_errno(r,
                                        "Failed to record the end of an attempt of job %s, trying again: %m",
                                        j->row->id);
                        j->unsettled = true;
                        if (start_error)
                                (void) job_note_error(j, _PHASE_INVALID, start_error);
                        /* Its timer tries again: not at once, for ever. */
                        if (again)
                                return;
                }
        }
        queue_wake(m);
}
