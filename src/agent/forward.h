/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reports of held jobs, from the journal to the server. */

#include "agent/agent-state.h"

/* There may be something to report. */
void forward_wake(HeldJob *h);
void forward_stop(HeldJob *h);
