/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether there is a server: registration, heartbeats, and pauses when there is none. */

#include "agent/agent-state.h"

void link_try(Agent *a);
/* A request had no answer, or one that means "later". */
void link_failed(Agent *a, const HttpResult *result);
/* The same for a request of this worker, where the server's own 404 for @path means that the worker is not
 * registered. */
void link_ask_failed(Agent *a, const HttpResult *result, const char *path);
