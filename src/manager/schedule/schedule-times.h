/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When a schedule runs. */

#include "store/schedules.h"

/* When @row is due next, after @now; 0 if it is disabled or never. */
usec_t schedule_next(const ScheduleRow *row, usec_t now);
/* When it runs, as OnCalendar= lines (a strv that the caller frees), or *ret_every (may be NULL) apart,
 * which is 0 else. 0 or negative errno. */
int schedule_calendar(const ScheduleRow *row, usec_t *ret_every, char ***ret_lines);
/* Whether the timer needs a line for next_at besides those, since the clocks change before it. */
bool schedule_needs_time(const ScheduleRow *row, usec_t now);
/* A timer never fires early; two clocks may differ by a little. */
#define SCHEDULE_SLACK (USEC_PER_SEC / 2)
/* Whether a timer that fires at @now has something to serve. */
bool schedule_is_due(const ScheduleRow *row, usec_t now);
