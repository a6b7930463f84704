/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Open sessions are described to systemd, which keeps the descriptions while this daemon runs or is being
 * restarted (FDSTORE=1, see sd_notify(3)): if it is killed, the next process ends its sessions. A description
 * has a cookie, but no password. */

#include "vsphered/login.h"

/* Describes a session, in place of the one of that name. @name: letters, digits and "-". Without memory or
 * systemd, nothing is described. */
void session_store_put(const char *name, const Login *login, const char *cookie);

/* The session has ended. */
void session_store_remove(const char *name);

/* Ends the sessions of a process that was killed, in the background. */
void session_store_end_old(void);
