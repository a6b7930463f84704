/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* hyper-vsphered, for the verbs "vsphere …" and "source test". */

#include "ctl/client.h"

/* Connects, and has what goes wrong from now on told of hyper-vsphered. As client_connect(). */
int vsphere_connect(Ctl *ctl, sd_bus **ret);
/* Calls a method; the first argument is the named source, what follows is as for client_call(). */
int vsphere_call(Ctl *ctl, sd_bus *bus, sd_bus_message **ret, const char *what, const char *method,
                const char *source, const char *types, ...);
