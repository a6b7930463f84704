/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a boot takes away and the manager brings back: the timers of schedules, which are transient units. */

#include "manager/manager.h"

/* Whether there is anything that a manager would do after a boot: unfinished jobs, jobs of which something is
 * left in @state_directory, enabled schedules, deliveries that are not done. 0 or negative errno. */
int restore_is_needed(Store *s, const char *state_directory, bool *ret);

/* At the first start of a manager in a boot, whoever started it: runs what schedules missed, and sets their
 * timers. 0 or negative errno. */
int restore_after_boot(Manager *m);
