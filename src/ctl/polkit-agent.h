/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lets polkit ask for a password on this terminal: starts pkttyagent(1), as systemctl does. */

/* Does nothing for root, without a terminal, or when pkttyagent is not installed: then polkit asks through
 * the desktop's agent, or refuses. Closed by itself when hyperctl ends. */
void polkit_agent_open(void);
