/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Schedules as rows: created, changed, deleted. */

#include "manager/manager.h"
#include "manager/submit-options.h"

/* @definition is JSON: id, name, description, schedule, enabled, overlap_policy, catch_up, job (a canonical
 * spec without its id). *ret_id is the caller's. All of these: 0, or negative errno with @error set. */
int manager_create_schedule(Manager *m, const char *definition, const SubmitOptions *options, char **ret_id,
                JsonErrors *fields, sd_bus_error *error);
/* @changes has those of the keys that change. A run that is due is neither lost nor made twice. */
int manager_update_schedule(Manager *m, const char *id, const char *changes, const SubmitOptions *options,
                JsonErrors *fields, sd_bus_error *error);
int manager_delete_schedule(Manager *m, const char *id, sd_bus_error *error);

/* Removes the secrets that no unfinished job and no schedule names: a manager that was killed may have left
 * them. 0 or negative errno. */
int manager_sweep_secrets(Manager *m);
/* The whole schedule for GetSchedule: JSON text that the caller frees. */
int schedule_details(Store *store, const ScheduleRow *row, char **ret);
