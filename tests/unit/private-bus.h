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
