/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* fstab(5) and crypttab(5): lines of fields, of which one names a device. */

#include "guest/changes.h"
#include "guest/device-name.h"

/* A table whose devices are named by UUID where that is known. @field is the number of the field, from 0.
 * What cannot be named becomes a warning. 1 with *ret (caller frees), 0 if nothing changes, or -ENOMEM. */
int device_table_rewrite(const char *step, const char *file, unsigned field, const char *text,
                const DeviceNames *names, Changes *changes, char **ret);

/* Notes the devices of a table, see device_names_note(). */
void device_table_note(unsigned field, const char *text, DeviceNames *names);
