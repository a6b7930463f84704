/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How jobs come: asking for one, and finding out what it is. */

#include "agent/agent-state.h"

/* Asks for a job, if the link is up and there is room for one. */
void dequeue_go(Agent *a);
void dequeue_stop(Agent *a);
/* The server says that the job is ours. */
void adopt(Agent *a, const char *job_id);
Adoption *adoption_free(Adoption *d);
