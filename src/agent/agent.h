/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* hyper-agentd: this machine as a worker of another one, its server. README.md says how a job travels.
 *
 * Everything is asynchronous, on one loop. A job that is held is in a file here, in the database of this
 * machine's manager and in the server's; link_try() and held_begin() bring them together again after a
 * failure of any of them. */

#include "agent/agent-state.h"

typedef struct AgentOptions {
        sd_event *event;
        sd_bus *bus;
        const AgentSettings *settings; /* lives longer than the agent */
        const char *directory; /* for files; exists */
        const char *journal_directory; /* NULL: the system's; for tests */
        const char *only_job; /* see one-job.h; NULL: any job */
} AgentOptions;

int agent_new(const AgentOptions *options, Agent **ret);
Agent *agent_free(Agent *a);
DEFINE_CLEANUP_FUNC(Agent *, agent_free);
/* Reads the files, and begins. 0 or negative errno. */
int agent_start(Agent *a);
