/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who has logged in and calls as root now, with sudo for example: systemd-logind knows the session of a
 * process. */

#include <systemd/sd-bus.h>

typedef struct CallerLogins CallerLogins;
typedef struct Manager Manager;

typedef struct CallerLogin {
        const char *user, *session; /* NULL: not known, or not in a session */
} CallerLogin;

CallerLogins *caller_logins_free(CallerLogins *l);

/* Of the sender of @m. 1 with *ret, whose strings are valid until the next call; 0: logind is asked, and @m
 * is dispatched again after the reply, as by bus_verify_polkit(); -ENOMEM. */
int caller_login_find(Manager *manager, sd_bus_message *m, CallerLogin *ret);
