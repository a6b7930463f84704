/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The end of an attempt: gathers what is known, lets attempt.c judge it, and records the verdict. */

#include <sys/stat.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/attempt.h"
#include "manager/job-directory.h"
#include "manager/manager.h"
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
static bool deadline_passed(Job *j, const char *directory, unsigned timeout_seconds) {
        _cleanup_free_ char *path = strprintf("%s/" JOB_RESULTS_DIRECTORY "/result.json", directory);
        usec_t began = attempt_began(j);
        struct stat st;

        if (!path || began == 0 || lstat(path, &st) < 0)
                return false;
        return (usec_t) st.st_mtime * USEC_PER_SEC + st.st_mtim.tv_nsec / NSEC_PER_USEC >=
                        began + timeout_seconds * USEC_PER_SEC;
}

/* What was written to an NBD server has no other name: it is complete when the job says so. */
static bool needs_no_publishing(const Job *j, const JobPlan *plan, const JobResult *result) {
        return plan && !endpoint_needs(&plan->spec->destination, ENDPOINT_NEEDS_FILES) && result &&
                        result->outcome == OUTCOME_COMPLETED &&
                        (!j->unit.result || streq(j->unit.result, "success"));
}

/* @ret_result keeps what the facts point to. */
static int gather(Job *j, const JobPlan *plan, const char *directory, const char *start_error,
                AttemptFacts *ret, JobResult **ret_result) {
        _cleanup_(job_result_freep) JobResult *result = NULL;
        int published = job_mark_is_set(directory, JOB_MARK_PUBLISHED);
        int r = job_result_read(directory, &result);

        /* No directory: we were cut off between recording that the attempt begins and making it. */
        if (published == -ENOENT)
                published = 0;
        if (published < 0 || r == -ENOMEM)
                return published < 0 ? published : r;
        /* A result of another attempt says nothing about this one. */
        if (result && result->attempt != j->row->attempt)
                result = job_result_free(result);
        *ret = (AttemptFacts){
                .attempt = j->row->attempt,
                .retry_count = j->row->retry_count,
                .idempotent = j->row->idempotent,
                .was_running = j->row->state == JOB_RUNNING,
                .published = published > 0 || needs_no_publishing(j, plan, result),
                /* (Looked at only where it says why the output has no name.) */
                .destination_exists = published == 0 && result && result->outcome == OUTCOME_COMPLETED &&
                                plan && plan->spec->destination.path &&
                                exists(j, plan->spec->destination.path),
                .timeout_seconds = plan ? plan->spec->policy.timeout_seconds : 0,
                .deadline_passed = plan && result &&
                                deadline_passed(j, directory, plan->spec->policy.timeout_seconds),
                .result = result,
                .result_unreadable = r < 0 && r != -ENOENT,
                .unit_result = j->unit.result,
                .exit_code = j->unit.exit_code,
                .exit_status = j->unit.exit_status,
                .phase = j->row->phase,
                .error_message = j->error_message,
                .error_phase = j->error_phase,
                .start_error = start_error,
        };
        *ret_result = TAKE_PTR(result);
        return 0;
}

/* How large the disks are that came out. */
static uint64_t output_size(const char *result) {
        _cleanup_json_ json_t *object = result ? json_loads(result, 0, NULL) : NULL;
        uint64_t size = 0;
        json_t *output;
        size_t i;

        json_array_foreach(json_object_get(object, "outputs"), i, output) {
                json_int_t n = json_integer_value(json_object_get(output, "virtual_size"));

                size += n > 0 ? (uint64_t) n : 0;
        }
        return size;
}

/* A finished job says 100 %, and of how much, whether its last events were seen or not. */
int job_record_completion(Job *j, const char *result, const char *reason) {
        uint64_t total = MAX(j->row->bytes_total, output_size(result));

        job_progress(j, PHASE_FINALIZATION, 100, total > 0 ? total : j->row->bytes_done, total,
                        j->row->rate);
        j->progress_dirty = false;
        int r = store_job_progress(j->store,
                        &(JobProgress){ .id = j->row->id,
                                        .phase = j->row->phase,
                                        .percent = j->row->percent,
                                        .bytes_done = j->row->bytes_done,
                                        .bytes_total = j->row->bytes_total,
                                        .rate = j->row->rate },
                        1, j->clock());
        return r < 0 ? r : job_complete(j, result, reason);
}

static int record(Job *j, const Verdict *v) {
        switch (v->state) {
        case JOB_COMPLETED:
                return job_record_completion(j, v->result, v->reason);
        case JOB_RETRYING:
                return job_retry(j, j->clock() + v->pause, v->reason);
        default:
                return job_fail(j, v->result, v->reason);
        }
}

/* The work is complete, but finish was not: it was cut off together with the machine. */
static bool needs_finish(const Job *j, const AttemptFacts *f) {
        return f->result && f->result->outcome == OUTCOME_COMPLETED && !f->published &&
                        !j->unit.finish_tried;
}

/* 1 if it is not over yet. */
static int settle_attempt(Job *j, const char *start_error) {
        _cleanup_free_ char *directory = job_directory_path(j->manager->state_directory, j->row->id);
        _cleanup_(job_result_freep) JobResult *result = NULL;
        _cleanup_(job_plan_freep) JobPlan *plan = NULL;
        _cleanup_(verdict_done) Verdict v = {};
        AttemptFacts facts;
        int r;

        if (!directory)
                return -ENOMEM;
        /* A cancel that we were cut off from recording; the output was not published then. */
        if (job_mark_is_claimed(directory, JOB_MARK_CANCELLED) > 0) {
                r = job_cancel(j, "Cancelled on request");
                return r < 0 ? r : job_mark_set(directory, JOB_MARK_CANCELLED);
        }
        r = job_plan_read(directory, &plan);
        if (r == -ENOMEM)
                return r;
        /* What came so far is written first: the row then shows how far the attempt went. */
        progress_flush(j->manager);
        r = gather(j, plan, directory, start_error, &facts, &result);
        if (r < 0)
                return r;
        if (needs_finish(j, &facts) && job_unit_finish(j) >= 0)
                return 1;
        r = attempt_judge(&facts, &v);
        return r < 0 ? r : record(j, &v);
}

/* Nothing of a finished job runs any more. The unit of a cancelled one has removed the unfinished output;
 * what is still there is from an attempt that had no finish of its own. */
static void settle_finished(Job *j) {
        _cleanup_free_ char *directory = job_directory_path(j->manager->state_directory, j->row->id);
        _cleanup_(job_plan_freep) JobPlan *plan = NULL;

        if (j->row->state == JOB_CANCELLED && directory && job_plan_read(directory, &plan) >= 0 &&
                        plan->part_dir) {
                if (exists(j, plan->part_dir) && !j->unit.finish_tried && job_unit_finish(j) >= 0)
                        return;
                if (exists(j, plan->part_dir))
                        log_warning("The unfinished output %s of the cancelled job %s could not be removed; "
                                    "its log says why (journalctl HYPER_JOB_ID=%s).",
                                        plan->part_dir, j->row->id, j->row->id);
        }
        manager_forget_job(j->manager, j);
}

void job_settle(Job *j, const char *start_error) {
        Manager *m = j->manager;
        int r;

        j->unit.stage = UNIT_NONE;
        j->unit.start_call = sd_bus_slot_unref(j->unit.start_call);
        j->unit.properties_match = sd_bus_slot_unref(j->unit.properties_match);
        j->unit.start_job = mfree(j->unit.start_job);
        /* One that could not be recorded before is tried again by the queue's timer, not at once for
         * ever. */
        if (!j->unsettled)
                queue_wake(m);

        if (job_is_finished(j)) {
                settle_finished(j);
                return;
        }
        r = settle_attempt(j, start_error);
        j->unsettled = r < 0;
        if (r < 0) {
                log_error_errno(r, "Failed to record the end of an attempt of job %s, trying again: %m",
                                j->row->id);
                if (start_error)
                        (void) job_note_error(j, _PHASE_INVALID, start_error);
                return;
        }
        if (r == 0 && job_is_finished(j))
                settle_finished(j);
        queue_wake(m);
}
