/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "manager/unit-end.h"
#include "store/jobs.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/attempt-end.h"
#include "manager/credentials.h"
#include "manager/job-directory.h"
#include "manager/manager.h"
#include "manager/put-back.h"
#include "manager/unit-facts.h"
#include "manager/unit-properties.h"
#include "manager/unit-start.h"
#include "spec/job-file.h"

/* What libvirt may take to start and to stop a domain, again and again if it is restarted meanwhile. */
#define BOOT_OVERHEAD (300 * USEC_PER_SEC)

/* Sending disks to another host takes long enough to be interrupted. */
#define SEND_TRIES 2u

/* What a proof of boot may take at most, with libvirt's part of it. */
static usec_t boot_time(const Job *j, const JobPlan *plan) {
        usec_t limit = plan ? plan->spec->parameters.boot_timeout * USEC_PER_SEC : 0;

        /* Four times as much without KVM. */
        return (limit > 0 ? limit : j->manager->settings->hosts.boot_timeout * 4) + BOOT_OVERHEAD;
}

/* Runs the unit that does nothing but @tasks, each of which is tried once: unit_gone() is called
 * when it has ended. On failure, which is logged, nothing will end. 0 or negative errno. */
static int start_finish(Job *j, const JobPlan *plan, FinishTasks tasks) {
        _cleanup_(unit_properties_done) UnitProperties properties = {};
        _cleanup_free_ char *directory = job_directory_path(j->manager->state_directory, j->row->id);
        _cleanup_strv_free_ char **credentials = NULL;
        int r = directory ? 0 : -ENOMEM;

        if ((tasks & FINISH_OUTPUT) && plan && kvm_spec_is_remote(&plan->spec->destination.kvm)) {
                tasks |= FINISH_SEND;
                j->unit.send_tries++;
        }
        j->unit.finish_tried = j->unit.finish_tried || (tasks & FINISH_OUTPUT);
        j->unit.put_back_tried = j->unit.put_back_tried || (tasks & FINISH_PUT_BACK);
        j->unit.boot_tried = j->unit.boot_tried || (tasks & FINISH_BOOT);
        j->unit.result = mfree(j->unit.result);
        if (r >= 0 && j->warm)
                r = credentials_list(
                                j->manager->state_directory, CREDENTIALS_OF_JOB, j->row->id, &credentials);
        if (r >= 0)
                r = unit_properties_for_finish(
                                j->row->id, directory, tasks, boot_time(j, plan), credentials, &properties);
        if (r >= 0)
                r = unit_call_start(j, &properties);
        if (r < 0)
                return log_error_errno(r, "Failed to tidy up after job %s: %m", j->row->id);
        j->unit.stage = UNIT_FINISH;
        return 0;
}

/* The work is complete, but finish was not, or the domain is not defined: that was cut off together with the
 * machine. Or the proof of boot, which has a unit of its own, has not begun. */
static FinishTasks missing_tasks(const Job *j, const JobPlan *plan, const AttemptFacts *f) {
        bool undefined = f->published && ((f->needs_domain && !f->domain) || f->tracked),
             unproven = f->needs_boot && !f->boot && !f->domain->error;
        FinishTasks tasks = 0;

        if (!f->result || f->result->outcome != OUTCOME_COMPLETED)
                return 0;
        if ((!f->published || undefined) &&
                        (!j->unit.finish_tried ||
                                        (j->unit.send_tries > 0 && j->unit.send_tries < SEND_TRIES)))
                tasks |= FINISH_OUTPUT;
        /* Sending the disks to another host may have to be repeated: the proof follows in another unit. */
        if (tasks && plan && kvm_spec_is_remote(&plan->spec->destination.kvm))
                return tasks;
        if (plan && plan->spec->parameters.boot_check && (tasks || unproven) && !j->unit.boot_tried)
                tasks |= FINISH_BOOT;
        return tasks;
}

/* What is still to be done for a job that was cancelled or has failed: its unit has done it, unless it could
 * not. */
static FinishTasks open_tasks(Job *j, const JobPlan *plan) {
        FinishTasks tasks = 0;

        if (j->row->state == JOB_CANCELLED && plan->part_dir && !j->unit.finish_tried &&
                        unit_path_exists(j, plan->part_dir))
                tasks |= FINISH_OUTPUT;
        if (j->row->state != JOB_COMPLETED && j->warm && !j->unit.put_back_tried)
                tasks |= FINISH_PUT_BACK;
        return tasks;
}

static void warn_of_remains(Job *j, const JobPlan *plan) {
        if (j->row->state == JOB_CANCELLED && plan->part_dir && unit_path_exists(j, plan->part_dir))
                log_warning("The unfinished output %s of the cancelled job %s could not be removed; its log "
                            "says why (journalctl HYPER_JOB_ID=%s).",
                                plan->part_dir, j->row->id, j->row->id);
}

/* Nothing of the finished job runs any more. @j is freed, unless something of it still has to be put in
 * order. */
static void leave(Job *j) {
        _cleanup_free_ char *directory = job_directory_path(j->manager->state_directory, j->row->id);
        _cleanup_(job_plan_freep) JobPlan *plan = NULL;

        if (directory && job_plan_read(directory, &plan) >= 0) {
                FinishTasks tasks = open_tasks(j, plan);
                if (tasks && start_finish(j, plan, tasks) >= 0)
                        return;
                warn_of_remains(j, plan);
        }
        if (directory && put_back_is_open(j, directory))
                manager_drop_job(j->manager, j);
        else
                manager_forget_job(j->manager, j);
}

/* The end could not be recorded. The queue tries again: not at once, for ever. */
static void end_failed(Job *j, int r) {
        log_error_errno(r, "Failed to record the end of an attempt of job %s, trying again: %m", j->row->id);
        if (!j->unsettled)
                queue_wake(j->manager);
        j->unsettled = true;
}

static void on_ended(Job *j, int r, void *userdata) {
        if (r < 0)
                return end_failed(j, r);
        j->unsettled = false;
        if (job_is_finished(j))
                leave(j);
}

/* The attempt is over, unless finish still has to be run. @j may be freed. */
static int end_attempt(Job *j, const char *start_error) {
        _cleanup_free_ char *directory = job_directory_path(j->manager->state_directory, j->row->id);
        _cleanup_(job_result_freep) JobResult *result = NULL;
        _cleanup_(job_plan_freep) JobPlan *plan = NULL;
        _cleanup_kvm_outcome_ KvmOutcome *domain = NULL;
        _cleanup_kvm_boot_ KvmBoot *boot = NULL;
        AttemptFacts facts = attempt_facts(j);
        int r;

        if (!directory)
                return -ENOMEM;
        /* A cancel that we were cut off from recording; the output was not published then. */
        if (job_mark_is_claimed(directory, JOB_MARK_CANCELLED) > 0) {
                r = job_follow(j, job_cancel(j, "Cancelled on request"));
                if (r < 0)
                        return r;
                r = job_mark_set(directory, JOB_MARK_CANCELLED);
                if (r < 0)
                        return r;
                j->unsettled = false;
                leave(j);
                return 0;
        }
        r = job_plan_read(directory, &plan);
        if (r == -ENOMEM)
                return r;
        facts.start_error = start_error;
        r = unit_facts_add(j, plan, directory, &facts, &result, &domain, &boot);
        if (r < 0)
                return r;
        FinishTasks tasks = missing_tasks(j, plan, &facts);
        if (tasks && start_finish(j, plan, tasks) >= 0) {
                j->unsettled = false;
                return 0;
        }
        return attempt_end(j, &facts, on_ended, NULL);
}

void unit_gone(Job *j, const char *start_error) {
        Manager *m = j->manager;
        int r;

        /* That it runs may not be durable yet. */
        if (j->changes)
                commit_group_settle(m->group);
        j->unit.stage = UNIT_NONE;
        j->unit.start_call = sd_bus_slot_unref(j->unit.start_call);
        j->unit.properties_match = sd_bus_slot_unref(j->unit.properties_match);
        j->unit.start_job = mfree(j->unit.start_job);
        if (job_is_finished(j)) {
                j->unsettled = false;
                leave(j);
        } else {
                r = end_attempt(j, start_error);
                if (r < 0) {
                        if (start_error)
                                (void) job_note_error(j, _PHASE_INVALID, start_error);
                        return end_failed(j, r);
                }
        }
        queue_wake(m);
}
