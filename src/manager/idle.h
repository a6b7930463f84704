/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The end of the daemon when there is nothing to do. */

#include "manager/manager.h"

int idle_start(Manager *m);
/* To be called when one has been served: the manager may have waited for it to end. */
void idle_lookup_done(Manager *m);
/* Whether there is nothing to do, and nobody has called for some time. */
bool manager_is_idle(const Manager *m);
