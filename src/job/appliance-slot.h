/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The number of appliances that run at once is limited: each takes a core and more than 1 GiB. A slot is a
 * file that the manager makes, and that a job locks while its appliance runs. */

#include "job/attempt.h"

/* Locks one of the first @n slots in @directory. 1 with *ret, 0 if all are locked, negative errno; -ENOENT:
 * there are none. */
int appliance_slot_try(const char *directory, unsigned n, int *ret);

/* Waits for a slot of this machine, and shows that. 0 with *ret, which is to be closed when the appliance
 * has ended (negative: the number is not limited, since there is no manager), -ECANCELED, or negative errno
 * after attempt_fail(). */
int appliance_slot_wait(Attempt *a, uint64_t weight, int *ret);
