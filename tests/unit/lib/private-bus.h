/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A message bus of a test's own, on which everybody may do everything. */

#include <sys/types.h>
#include <systemd/sd-bus.h>

/* Starts it with its socket in @dir; it dies with the test. */
pid_t private_bus_start(const char *dir);
void private_bus_stop(pid_t pid);

/* A new connection, attached to @event. */
sd_bus *private_bus_connect(const char *dir, sd_event *event);

/* Sends the call @m, which it takes, on the connection that it was made for, and runs the loop until there
 * is the answer: that, which may be an error; the caller's. */
sd_bus_message *private_bus_call(sd_bus_message *m);
