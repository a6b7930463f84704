/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The daemons that have a configuration, as hyperctl reload and config see them. */

#include "ctl/client.h"

typedef struct CtlDaemon {
        const char *name, *unit;
        const char *bus_name, *path, *interface;
        const char *action; /* what polkit calls Reload */
        bool is_started; /* by a call, if it does not run */
        const char *unused[8]; /* sections of the configuration that it does not use; NULL ends */
        bool has_own_file; /* not /etc/hyper/config.yaml */
} CtlDaemon;

/* Ends with a NULL name. */
const CtlDaemon *ctl_daemons(void) _pure_;

/* Whether it can be asked: it runs, or a call starts it. */
bool ctl_daemon_is_there(sd_bus *bus, const CtlDaemon *d);

/* Calls a method without arguments. Says what is wrong, beginning with @what. Returns an ExitStatus. */
int ctl_daemon_call(Ctl *ctl, sd_bus *bus, const CtlDaemon *d, const char *method, const char *what,
                sd_bus_message **ret);

/* Its settings that are in force only after a restart; an empty list from a daemon that has none. 0 with
 * *ret (the caller frees it), or negative errno. */
int ctl_daemon_restart_needed(sd_bus *bus, const CtlDaemon *d, char ***ret);
