/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* hyperctl's side of the bus. */

#include <jansson.h>

#include "ctl/ctl.h"
#include "shared/bus-util.h"

#define _cleanup_bus_error_ _cleanup_(sd_bus_error_free)
#define _cleanup_message_ _cleanup_(sd_bus_message_unrefp)
#define _cleanup_bus_ _cleanup_(sd_bus_flush_close_unrefp)

/* Connects as -H, -M or neither say, and lets polkit ask the person at the terminal unless
 * --no-ask-password. Says what is wrong: EXIT_OK with *ret, or another ExitStatus. */
int client_connect(Ctl *ctl, sd_bus **ret);

/* The same in silence, for one that tries again: 0 or negative errno. */
int client_open(Ctl *ctl, sd_bus **ret);

/* Calls a method of org.hyper1.Manager; @types and what follows as in sd_bus_message_append(3). Says what is
 * wrong, beginning with @what ("Cancelling job x"). EXIT_OK with *ret, or another ExitStatus. */
int client_call(Ctl *ctl, sd_bus *bus, sd_bus_message **ret, const char *what, const char *method,
                const char *types, ...);

/* The same with a message that the caller has built. */
int client_call_message(Ctl *ctl, sd_bus *bus, sd_bus_message *m, sd_bus_message **ret, const char *what);

/* Says that @what failed as @error tells, or, where that is not set, with the errno @r, and what to do about
 * it. Returns the ExitStatus. */
int client_failure(Ctl *ctl, const sd_bus_error *error, int r, const char *what);

/* The ExitStatus for a bus error; @name may be NULL. */
int client_exit_status(const char *name);

/* Reads the JSON text that a method has answered with. EXIT_OK with a new reference, or another ExitStatus
 * after an error message. */
int client_read_json(Ctl *ctl, sd_bus_message *reply, const char *what, json_t **ret);

/* Prints a value on stdout as --json= says. Returns an ExitStatus. */
int client_print_json(Ctl *ctl, json_t *value);
