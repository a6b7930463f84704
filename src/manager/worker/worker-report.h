/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Jobs that workers hold: how they go on, and end. */

#include "manager/executor-worker.h"
#include "manager/manager.h"

/* From the loop or the call, once, when what was reported is durable; negative errno: it could not be
 * recorded. */
typedef worker_end_done report_done;

/* 0: @done is called; negative errno with @error or @fields set: it is not. */
int manager_report_events(Manager *m, const char *id, const char *worker, const char *text, report_done done,
                void *userdata, JsonErrors *fields, sd_bus_error *error);
int manager_report_result(Manager *m, const char *id, const char *worker, const char *text, report_done done,
                void *userdata, JsonErrors *fields, sd_bus_error *error);
