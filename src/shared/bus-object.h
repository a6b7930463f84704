/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An object of the bus with one interface of its own, as org.freedesktop.DBus.ObjectManager describes it.
 * Unlike libsystemd, which looks for its vtables and calls all functions that find objects, this takes what
 * the caller has. All properties of the vtable must have a function. */

#include <systemd/sd-bus.h>

typedef struct BusObject {
        const char *path, *interface;
        const sd_bus_vtable *vtable;
        void *userdata; /* of the properties */
} BusObject;

/* An entry of the reply of GetManagedObjects(). */
int bus_object_append(sd_bus_message *m, const BusObject *o);

/* The signal InterfacesAdded of the ObjectManager at @manager_path. */
int bus_object_emit_added(sd_bus *bus, const char *manager_path, const BusObject *o);
