/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All unfinished jobs and all schedules as objects, in steps (shared/object-list.h). */

#include <stdbool.h>

typedef struct Manager Manager;

/* Beside sd_bus_add_object_manager(), which describes the interface and sends its signals. */
int managed_objects_register(Manager *m);

/* An object was added or changed, or was removed. */
void managed_objects_changed(Manager *m, const char *path, bool removed);
