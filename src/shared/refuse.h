/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a daemon on the bus does when it cannot begin its work, because its configuration or its database is
 * of no use: it owns its name and answers each call with the reason, for a few seconds, and ends. Without
 * that the bus would let every client wait 25 s for a name that never comes, and then not say why. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

/* Answers until REFUSE_TIME is over or something in @config_directory or its config.d/ changes; then leaves
 * the event loop with EX_CONFIG, and the next call starts the daemon anew. @why is for the person who
 * called: a sentence or two, what and where. Returns what sd_event_loop(3) does. */
int refuse_run(sd_event *event, sd_bus *bus, const char *bus_name, const char *config_directory,
                const char *why);
