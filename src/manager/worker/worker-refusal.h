/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "manager/manager.h"
#include "store/workers.h"

/* Sets @error to why the worker of @offer does not get @offer->job_id. Returns a negative errno. */
int worker_explain_refusal(Manager *m, const WorkerOffer *offer, sd_bus_error *error);
