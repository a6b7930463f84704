/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether somebody stops the unit of a job, with systemctl, by a shutdown, or with the package: asked of
 * systemd, since hyper-job run, which gets SIGTERM then, may be compromised, and claim it. */

/* To be called by a command of ExecStopPost=. Sets JOB_MARK_STOPPED if the unit has a job of systemd that
 * stops it. A failure is logged: the attempt counts then. */
void unit_stop_note(const char *directory);
