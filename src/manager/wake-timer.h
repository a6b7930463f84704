/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A transient timer, hyper-passes.timer, that starts hyper-managerd again when the next pass of a warm job is
 * due, or the source of one is to be restored. It is made when the manager is about to exit because all of
 * its jobs wait, and removed when it starts. After a boot, hyper-schedules.service starts the manager. */

#include "manager/manager.h"

/* Has systemd make the timer. @done is called with 0 when it is set, or with a negative errno. */
int wake_timer_set(Manager *m, usec_t at, void (*done)(Manager *m, int r));
/* Has systemd remove it. 0 or negative errno. */
int wake_timer_remove(Manager *m);
