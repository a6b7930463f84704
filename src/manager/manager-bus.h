/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* org.hyper1.Manager: the object /org/hyper1. */

#include "manager/manager.h"

int manager_bus_register(Manager *m);
/* The table of the interface, for the test that compares it with dbus/ *.xml. */
extern const sd_bus_vtable manager_vtable[];
