/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Limits by name (spec/limit-rules.h). A job holds its names while it is ASSIGNED or RUNNING, whoever carries
 * it out, so who holds what follows from the rows of jobs, after a crash, too. The names of a job are a set,
 * which is a row of its own, since many jobs have the same.
 *
 * A job that waits for a limit does not delay those behind it that need others, and is the first for its own.
 * A job that needs several could wait for ever, while each that is given back is taken by another that needs
 * only this one. Therefore, the first job of the queue that waits for a limit which is held by one behind it
 * has its other limits kept free. */

#include "spec/limit-rules.h"
#include "spec/placement.h"
#include "store/jobs.h"
#include "store/store.h"

/* How many may hold each name. @rules is borrowed until it is replaced; NULL: nothing is limited. */
void store_limits_set_rules(Store *s, const LimitRules *rules);
/* Records them for those who only read the database. */
int store_limits_publish(Store *s);

/* Gives a job that has none its set: one that was submitted before there were limits. */
int store_job_limit(Store *s, const char *id, const char *names, int64_t *ret_limit_set);

/* Whether a job of this set and place in the queue may be given away now. */
int store_limits_are_free(Store *s, int64_t limit_set, unsigned priority, int64_t seq, bool *ret);

/* Whether both sets have a name in common that is limited. */
int store_limits_overlap(Store *s, int64_t a, int64_t b, bool *ret);

/* The names for which a job waits in the queue: of which as many are held as may be. *ret is NULL if there is
 * none; the caller frees. */
int store_job_waits_for(Store *s, const JobRow *row, char ***ret);

/* The first jobs of those that any worker may take, that hold something, and whose limits are free, one for
 * each set and demand: their ids, which the caller frees. */
#define LIMITS_READY_MAX 16u
int store_limits_ready(Store *s, char *ret_ids[static LIMITS_READY_MAX], size_t *ret_n);

/* The labels of this machine, and whether it takes jobs that any worker may take, for who tells for what jobs
 * wait (spec/placement.h). */
int store_placement_set_local(Store *s, bool takes_jobs, const char *labels);

/* Whether a machine with these labels may have the jobs of this set. */
int store_placement_fit(Store *s, int64_t limit_set, const char *labels, PlacementFit *ret);

/* The names that jobs hold, in the order of their bytes. */
typedef struct LimitUse {
        char *name;
        unsigned held, max; /* max: or LIMIT_UNLIMITED */
} LimitUse;
void limit_uses_free(LimitUse *uses, size_t n);
int store_limits_in_use(Store *s, LimitUse **ret, size_t *ret_n);
