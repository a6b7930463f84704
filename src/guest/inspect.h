/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is on the disks: partitions, file systems, volumes, and the operating system. */

#include "guest/guest.h"

/* Finds the operating system and mounts its file systems. If it is none that is known here, nothing is
 * mounted, and the reason is a warning. 0, or negative errno after guest_fail(). */
int inspect_find(Guest *guest);

/* The result's object, without what was changed. New reference, NULL when out of memory. */
json_t *inspect_describe(Guest *guest);
