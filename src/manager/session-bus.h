/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods of org.hyper1.Manager about sessions, and org.hyper1.Sessions, which is for hyper-auth only. */

#include "manager/manager.h"

int method_list_sessions(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_end_session(sd_bus_message *message, void *userdata, sd_bus_error *error);

extern const sd_bus_vtable sessions_vtable[];
int session_bus_register(Manager *m);
