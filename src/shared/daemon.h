/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the main functions of the daemons have in common. These say what goes wrong themselves. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "shared/settings.h"

/* Has @handler called in the loop for SIGTERM and SIGINT, and for nothing else; before there are threads. 0
 * or negative errno. */
int daemon_on_end(sd_event *event, sd_event_signal_handler_t handler, void *userdata);
/* The same for one more signal. */
int daemon_on_signal(sd_event *event, int signal, sd_event_signal_handler_t handler, void *userdata);

/* Connects to the system bus. When that goes away the loop ends with EXIT_FAILURE, so that PID 1 starts the
 * daemon again. 0 with *ret, or negative errno. */
int daemon_open_bus(sd_event *event, sd_bus **ret);

/* Who a daemon is that owns a name on the bus. */
typedef struct Daemon {
        const char *program;
        const char *bus_name;
        const char *config_directory;
        const char *state_directory; /* of hyper-managerd: where its database is by default */
        const char *ending; /* the STATUS= at SIGTERM or SIGINT, which end the loop; static */
} Daemon;

/* Reads the configuration, and takes the level of logging from it. 0 with *ret. Otherwise the daemon has
 * refused its calls for a while with the reason, or could not do even that, and is to end: its exit status,
 * or negative errno. */
int daemon_configure(const Daemon *d, Settings **ret);

/* Reads the configuration in @config_directory anew, for a daemon that runs, which has *s of it: another
 * *s, and the level of logging from it. On failure the old one stays in force, and *ret_why is why, for
 * people (caller frees; NULL when out of memory). What can change only at a start keeps its value
 * (settings_keep_database()). 0 or negative errno. */
int daemon_reload_settings(
                const char *config_directory, const char *state_directory, Settings **s, char **ret_why);

/* Around what is done at SIGHUP: tells PID 1, and afterwards logs a failure @r. */
void daemon_reload_begin(void);
void daemon_reload_end(int r, const char *why);

/* Refuses all calls (shared/refuse.h) because the database at @path cannot be opened, for which @error is
 * the negative errno. What it returns is what main() ends with: an exit status, or negative errno. */
int daemon_refuse_database(const Daemon *d, const char *path, int error);

/* The event loop with its watchdog and what ends it, and the bus; before there are threads, all of which
 * leave signals to the loop. 0 with both, or negative errno. */
int daemon_set_up(const Daemon *d, sd_event **ret_event, sd_bus **ret_bus);
