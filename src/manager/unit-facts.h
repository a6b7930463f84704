/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the unit of a job has left behind: how its attempt ended. */

#include "manager/attempt.h"
#include "manager/job.h"
#include "spec/job-file.h"
#include "spec/job-result.h"
#include "spec/kvm-boot.h"
#include "spec/kvm-outcome.h"

/* False also if the file system does not answer. */
bool unit_path_exists(Job *j, const char *path);

/* Adds to @f what is in the directory of the job; @plan may be NULL. *ret_result, *ret_domain and *ret_boot,
 * which the facts point to, belong to the caller; NULL: there is none. 0 or negative errno. */
int unit_facts_add(Job *j, const JobPlan *plan, const char *directory, AttemptFacts *f,
                JobResult **ret_result, KvmOutcome **ret_domain, KvmBoot **ret_boot);
