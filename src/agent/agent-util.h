/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What all parts of hyper-agentd share. */

#include "agent/agent-state.h"

/* Something changed that the unit's status tells. */
void agent_status(const Agent *a);
/* Half of @span at least, one and a half at most: a thousand workers do not come back in the same
 * instant. */
usec_t agent_jitter(usec_t span);
/* Nothing can go on: out of memory, or the disk does not take our files. The service ends, to be started
 * again. */
void agent_fail(Agent *a, int error, const char *what);
