/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Jobs that workers hold: how they go on, and end. */

#include "manager/manager.h"

int manager_report_events(Manager *m, const char *id, const char *worker, const char *text,
                JsonErrors *fields, sd_bus_error *error);
int manager_report_result(Manager *m, const char *id, const char *worker, const char *text,
                JsonErrors *fields, sd_bus_error *error);
