/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* org.hyper1.Hosts.Vm: a VM's object, /org/hyper1/hosts/<label>/vm/<UUID's label>. */

#include <systemd/sd-bus.h>

#include "hosts/hosts.h"

/* For the test that compares it with dbus/. */
extern const sd_bus_vtable vm_vtable[];

int vm_bus_register(Hosts *h);
