/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The agent with its settings, and org.hyper1.Agent on the bus, by which "hyperctl reload" and "hyperctl
 * config" reach it. */

#include "agent/agent-settings.h"
#include "agent/agent.h"

typedef struct AgentService AgentService;

typedef struct AgentServiceOptions {
        sd_event *event;
        sd_bus *bus;
        const char *config; /* the file that Reload reads */
        const char *credentials; /* as for agent_settings_load() */
        const char *directory, *journal_directory; /* as for agent_new() */
} AgentServiceOptions;

/* Starts the agent, and takes the name on the bus. The strings of @options must live as long as the service;
 * it takes @settings over on success. 0 or negative errno. */
int agent_service_new(const AgentServiceOptions *options, AgentSettings *settings, AgentService **ret);
AgentService *agent_service_free(AgentService *s);
DEFINE_CLEANUP_FUNC(AgentService *, agent_service_free);
