/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "agent/agent-settings.h"

/* hyper-agentd --check: shows what would be registered, asks the server and the manager of this machine, and
 * says what is wrong. Changes nothing. EXIT_SUCCESS, EXIT_FAILURE, or negative errno. */
int agent_check(sd_event *event, sd_bus *bus, const AgentSettings *settings);
