/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The object /org/hyper1/vsphere. */

#include "vsphered/state.h"

extern const sd_bus_vtable vsphere_vtable[];
int methods_register(Vsphered *v);
