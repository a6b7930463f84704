/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The call that starts the transient unit of a job. */

#include "manager/job.h"
#include "manager/unit-properties.h"

/* Has systemd start the unit of @j with @properties. Its stage becomes UNIT_LIVE when systemd has taken it,
 * if it was UNIT_STARTING; unit_gone() is called if systemd refuses. 0 or negative errno. */
int unit_call_start(Job *j, const UnitProperties *properties);
