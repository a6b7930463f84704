/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What systemd tells of the units of jobs. */

#include "manager/job.h"

/* Has systemd's signals delivered. To be called before the units are listed. 0 or negative errno. */
int unit_signals_subscribe(Manager *m);
/* Has the changes of @unit, which is the unit of @j, delivered until j->unit.properties_match is freed. 0 or
 * negative errno. */
int unit_watch(Job *j, const char *unit);
/* Records that the unit of @j runs, if that is news. A failure is logged, and made good at the job's end. */
void unit_note_running(Job *j);
