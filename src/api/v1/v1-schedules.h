/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /schedules of v1. */

#include "api/http/router.h"

int v1_list_schedules(Request *r);
int v1_create_schedule(Request *r);
int v1_validate_schedule(Request *r);
int v1_get_schedule(Request *r);
int v1_update_schedule(Request *r);
int v1_delete_schedule(Request *r);
int v1_enable_schedule(Request *r);
int v1_disable_schedule(Request *r);
int v1_trigger_schedule(Request *r);

extern const QueryField v1_schedules_query[];
extern const Schema v1_schedules_schema, v1_schedule_message_schema, v1_triggered_schema;
