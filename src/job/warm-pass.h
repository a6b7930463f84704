/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One pass of a warm migration: the disks of a VM as a new snapshot has them. The first pass copies them as
 * they are; a further one copies the areas that were written since the pass before. All functions note
 * failures in the attempt. */

#include "engine/areas.h"
#include "job/step.h"
#include "job/vsphere-source.h"
#include "job/warm-state.h"

typedef struct Warm {
        Run *run;
        Attempt *attempt;
        VsphereSource *v;
        Conversion *c;
        WarmState *state;
        bool copied; /* the last pass has copied changes, not whole disks */
        double overhead, verification; /* seconds that its snapshot and the comparison took */
} Warm;

/* @off: the VM is off, so that this is the last pass. */
int warm_pass(Warm *w, bool off);

/* The state after @what. */
int warm_save(Warm *w, const char *what);

/* Creates the job's snapshot, and makes its change IDs the targets of the pass. */
int warm_snapshot(Warm *w);

/* The areas of disk @disk that were written since the image is complete. -ESTALE: the server does not know
 * them (nothing is noted in the attempt). */
int warm_areas(Warm *w, size_t disk, Areas *areas);
