/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Makes the files that jobs lock while they run an appliance (job/appliance-slot.h): @n, or as many as a job
 * looks at by default. All users may read them, since a job runs as one of its own. 0 or negative errno. */
int appliance_slots_make(const char *state_directory, unsigned n);
