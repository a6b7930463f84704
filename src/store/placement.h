/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which machines may have a job (spec/placement.h), for the other files of the store. The words of a job's
 * placement are in its limit set. */

#include "spec/placement.h"
#include "store/limit-types.h"
#include "store/store.h"

/* The fact with the labels of this machine, if it takes jobs that any worker may take. */
#define LABELS_FACT "labels"

/* PlacementFit of a machine with these labels, or negative errno. */
int placement_fit(Store *s, LimitBook *b, const LimitSet *set, const char *labels);
/* Whether a worker that is registered could do the jobs of this class. */
bool placement_may_be_done(Store *s, LimitBook *b, const LimitClass *c);
/* Adds what no machine that there is has: the words of the set's placement, as one. */
int placement_waits_for(Store *s, LimitBook *b, LimitSet *set, char ***names);
/* A worker came, went, or has other labels now; or this machine has. */
void placement_machines_changed(Store *s);
