/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who submits: what hyper-apid says of its client, or the caller itself. */

#include "manager/manager.h"
#include "manager/submit-options.h"

/* Sets o->submitted_by. 1; 0: @message is dispatched again when it is known; or negative errno with @error
 * set. */
int submit_caller_find(Manager *m, sd_bus_message *message, SubmitOptions *o, sd_bus_error *error);
