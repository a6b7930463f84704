/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* org.hyper1.Hosts.Manager: the object /org/hyper1/hosts. */

#include <systemd/sd-bus.h>

#include "hosts/hosts.h"

/* For the test that compares it with dbus/. */
extern const sd_bus_vtable hosts_vtable[];

int hosts_bus_register(Hosts *h);
