/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The transient timer of a job on hold, hyper-hold-ID.timer. It starts hyper-managerd when the hold is due;
 * while the manager runs, it does not depend on it. Timers are made again after a boot. */

#include "manager/manager.h"

/* Makes the timer anew if @j is on hold, else removes it if there is one. */
void hold_timer_update(Job *j);
