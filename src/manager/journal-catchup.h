/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Changes of state in the journal, in order; after a start, those that it missed. */

#include "manager/manager.h"

/* Finds the last change of state in the journal, and logs those after it: the manager before this one was
 * killed between recording and logging them, or the journal has lost its end. */
void journal_catch_up(Manager *m);
/* Logs the changes of state that were recorded since the last call. A failure is logged; the next call tries
 * again. */
void manager_log_changes(Manager *m);
