/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* systemd 252 leaves a file in /run behind when a transient unit with LogExtraFields= is gone: some bytes of
 * memory for every job there ever was. journald reads it when a process of the unit logs its first line. */

/* Removes the file of the unit whose job has this directory. To be called by the last command of the unit. */
void unit_fields_forget(const char *directory);
