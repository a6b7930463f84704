/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the bus and clients are told of schedules. */

#include "manager/manager.h"

/* Tells the bus. @member: ScheduleNew, ScheduleRemoved or ScheduleChanged. */
void schedule_bus_emit(Manager *m, const char *member, const char *id);
/* Says so in @error, whatever @id is; returns what goes with it. */
int schedule_not_found(const char *id, sd_bus_error *error);
