/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* org.hyper1.Hosts.Host: a host's object, /org/hyper1/hosts/<label>. */

#include <systemd/sd-bus.h>

#include "hosts/hosts.h"

/* For the test that compares it with dbus/. */
extern const sd_bus_vtable host_vtable[];

int host_bus_register(Hosts *h);
