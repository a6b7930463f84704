/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The role of whoever calls a method that polkit has allowed already. This is the one place that decides
 * it. */

#include <systemd/sd-bus.h>

#include "shared/role.h"

/* Who calls, as the kernel and the user database know it. */
typedef struct Caller {
        Role role; /* of the user: role_of_user() */
        bool is_api; /* the user of hyper-apid, which speaks for its own clients */
} Caller;

/* Root and members of hyper-admin are admin. hyper-apid has the role that it passes, operator if it passes
 * none. All others are operators: polkit has allowed the call. @wanted, the option "role" or NULL, may lower
 * the role, never raise it. 0, or negative errno with @error set. */
int caller_judge(const Caller *caller, const char *wanted, Role *ret, sd_bus_error *error);

/* The same for the sender of @m. */
int caller_role(sd_bus_message *m, const char *wanted, Role *ret, sd_bus_error *error);
