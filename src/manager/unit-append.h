/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The properties of a unit in a message to systemd, as StartTransientUnit() takes them
 * (org.freedesktop.systemd1(5)). */

#include "manager/unit-properties.h"

/* Appends them as a(sv). 0 or negative errno. */
int unit_properties_append(const UnitProperties *p, sd_bus_message *m);
