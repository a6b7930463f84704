/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* GetManagedObjects() in steps, between which the event loop serves others. libsystemd would answer in one
 * go, and with thousands of schedules or waiting jobs that takes a fifth of a second and more.
 *
 * An object may change while the answer is made. The caller gets the signals of that before the answer, and
 * may ignore them, so they are sent again after it. */

#include <stdbool.h>
#include <systemd/sd-bus.h>

typedef struct Manager Manager;

/* Beside sd_bus_add_object_manager(), which describes the interface and sends its signals. */
int managed_objects_register(Manager *m);

/* An object was added or changed, or was removed. */
void managed_objects_changed(Manager *m, const char *path, bool removed);
