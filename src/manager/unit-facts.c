/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/unit-facts.h"

#include <sys/stat.h>

#include "basic/string-util.h"
#include "manager/manager.h"
#include "spec/job-spec.h"

/* Where the file system does not answer, nothing is known to be there. */
bool unit_path_exists(Job *j, const char *path) {
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
        return plan && !plan->part_dir && !endpoint_needs(&plan->spec->destination, ENDPOINT_NEEDS_FILES) &&
                        result && result->outcome == OUTCOME_COMPLETED &&
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
        if (result &&
                        (result->attempt != j->row->attempt ||
                                        (result->warm.pass > 0 && result->warm.pass != f->pass)))
                result = job_result_free(result);
        f->published = published > 0 || needs_no_publishing(j, plan, result);
        f->stopped = job_mark_is_set(directory, JOB_MARK_STOPPED) > 0;
        f->tracked = j->warm && job_mark_is_set(directory, JOB_MARK_TRACKING) > 0;
        /* (Looked at only where it says why the output has no name.) */
        f->destination_exists = published == 0 && result && result->outcome == OUTCOME_COMPLETED && plan &&
                        plan->spec->destination.path && unit_path_exists(j, plan->spec->destination.path);
        f->deadline_passed = result && deadline_passed(j, directory);
        f->result = result;
        f->result_unreadable = r < 0 && r != -ENOENT;
        f->unit_result = j->unit.result;
        f->exit_code = j->unit.exit_code;
        f->exit_status = j->unit.exit_status;
        *ret_result = TAKE_PTR(result);
        return 0;
}

/* What libvirt said of the domain. NULL: it was not asked, or there is none to be defined. */
static int gather_domain(const JobPlan *plan, const char *directory, AttemptFacts *f, KvmOutcome **ret) {
        f->needs_domain = plan && plan->spec->destination.type == ENDPOINT_KVM;
        if (!f->needs_domain || !f->published)
                return 0;
        int r = kvm_outcome_read(directory, ret);
        f->domain = r >= 0 ? *ret : NULL;
        return r == -ENOMEM ? r : 0;
}

/* What was seen of its start, if that was asked for, and the domain is defined. */
static int gather_boot(const JobPlan *plan, const char *directory, AttemptFacts *f, KvmBoot **ret) {
        f->needs_boot = f->domain && f->domain->uuid && plan->spec->parameters.boot_check;
        if (!f->needs_boot)
                return 0;
        int r = kvm_boot_read(directory, ret);
        f->boot = r >= 0 ? *ret : NULL;
        return r == -ENOMEM ? r : 0;
}

int unit_facts_add(Job *j, const JobPlan *plan, const char *directory, AttemptFacts *f,
                JobResult **ret_result, KvmOutcome **ret_domain, KvmBoot **ret_boot) {
        int r = gather(j, plan, directory, f, ret_result);

        if (r >= 0)
                r = gather_domain(plan, directory, f, ret_domain);
        return r < 0 ? r : gather_boot(plan, directory, f, ret_boot);
}
