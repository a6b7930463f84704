/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The limits that a job holds while it runs, by name (limit-rules.h): of a vCenter or ESXi host that it reads
 * from ("vcenter:HOST"), of other machines that it reads from or writes to ("host:HOST"), and those that its
 * spec names. */

#include "spec/placement.h"

/* How many a spec may name. */
#define JOB_LIMITS_MAX 16u

/* Wrong names are added to @errors. 0 or -ENOMEM. */
int job_limits_check(const JobSpec *s, JsonErrors *errors);

/* All of them and the words of its placement (placement.h), in the order of their bytes, each once, separated
 * by newlines; NULL: it has none. The caller frees. 0 or -ENOMEM. */
int job_limits_from_spec(const JobSpec *s, const StorageRules *storage, char **ret);
