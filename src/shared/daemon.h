/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the main functions of the daemons have in common. These say what goes wrong themselves. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "shared/settings.h"

/* Has @handler called in the loop for SIGTERM and SIGINT, and for nothing else; before there are threads. 0 or
 * negative errno. */
int daemon_on_end(sd_event *event, sd_event_signal_handler_t handler, void *userdata);
/* The same for one more signal. */
int daemon_on_signal(sd_event *event, int signal, sd_event_signal_handler_t handler, void *userdata);

/* Connects to the system bus. When that goes away the loop ends with EXIT_FAILURE, so that PID 1 starts the
 * daemon again. 0 with *ret, or negative errno. */
int daemon_open_bus(sd_event *event, sd_bus **ret);

/* Reads the configuration in @directory, and takes the level of logging from it. 0 with *ret; -EBADMSG with
 * *ret_why (caller frees), which is not logged; -ENOMEM. */
int daemon_load_settings(const char *directory, Settings **ret, char **ret_why);
