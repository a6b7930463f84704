/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* org.hyper1.Job: the objects of the jobs on the bus. */

#include "manager/manager.h"

int job_bus_register(Manager *m);
/* The table of the interface, for the test that compares it with dbus/ *.xml. */
extern const sd_bus_vtable job_vtable[];
