/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether the timers of schedules were set in this boot. */

#include "manager/manager.h"

/* 1, 0, or negative errno. */
int boot_mark_is_set(Manager *m);
/* All timers are set: the next manager of this boot need not do it again. */
void boot_mark_set(Manager *m);
