/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Operations on the guest of a source that is not copied: inspection, dry runs, and changes in place. The
 * source is only read. The changes are made in an overlay, which "finish" commits: see in-place.h. */

#include "job/step.h"

/* Refuses images that cannot be changed in place. */
int step_alone_check(Run *run);
/* Inspects or changes the guest. */
int step_alone_guest(Run *run);
/* The result. */
int step_alone_finalize(Run *run);
