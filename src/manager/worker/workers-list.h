/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* ListWorkers, made in steps: the event loop serves others between them. */

#include "manager/manager.h"
#include "store/workers.h"

json_t *worker_to_json(const Manager *m, const WorkerRow *row);

int method_list_workers(sd_bus_message *message, void *userdata, sd_bus_error *error);
