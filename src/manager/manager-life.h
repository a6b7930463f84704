/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The life of the manager: made, started, freed. */

#include "manager/manager.h"

typedef struct ManagerOptions {
        sd_event *event;
        sd_bus *bus; /* with systemd, polkit and the clients on it */
        Store *store; /* as STORE_OWNER */
        Settings *settings; /* the manager's from manager_new() on, also on failure */
        clock_func clock; /* realtime */
        const char *state_directory; /* STATEDIR */
        const char *runtime_directory; /* where the jobs' root directories are made; the manager's alone */
        const char *config_directory; /* read again by Reload */
        const char *journal_directory; /* NULL: the system's journal */
        int (*send_event)(const JobEvent *e); /* NULL: job_event_send() */
        /* NULL: job_events_send() */
        int (*send_events)(const JobEvent *events, size_t n, size_t *ret_sent);
        const char *guest_program; /* NULL: GUEST_PROGRAM */
        usec_t group_age_max; /* of a group commit; 0: 10 ms */
} ManagerOptions;

int manager_new(const ManagerOptions *options, Manager **ret);
Manager *manager_free(Manager *m);
DEFINE_CLEANUP_FUNC(Manager *, manager_free);

/* Loads the jobs, puts the objects on the bus, looks at the units, and requests the name. What takes time is
 * done from the event loop. 0 or negative errno. */
int manager_start(Manager *m);
