/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /schedules of the HyperSDK API: reads come from the database, changes go to the manager. */

#include "api/http/request.h"

int hypersdk_list_schedules(Request *r);
int hypersdk_create_schedule(Request *r);
int hypersdk_schedule_stats(Request *r);
int hypersdk_get_schedule(Request *r);
int hypersdk_update_schedule(Request *r);
int hypersdk_delete_schedule(Request *r);
int hypersdk_enable_schedule(Request *r);
int hypersdk_disable_schedule(Request *r);
int hypersdk_trigger_schedule(Request *r);

/* ?limit, ?offset of the list */
extern const QueryField hypersdk_schedule_parameters[];
