/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/bus-object.h"

#include "basic/macro.h"

#define DBUS_INTERFACE "org.freedesktop.DBus."

static int append_property(sd_bus_message *m, const BusObject *o, const sd_bus_vtable *property) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *name = property->x.property.member;
        int r = sd_bus_message_open_container(m, 'e', "sv");

        if (r >= 0)
                r = sd_bus_message_append_basic(m, 's', name);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', property->x.property.signature);
        if (r >= 0)
                r = property->x.property.get(sd_bus_message_get_bus(m), o->path, o->interface, name, m,
                                o->userdata, &error);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_properties(sd_bus_message *m, const BusObject *o) {
        int r = sd_bus_message_open_container(m, 'a', "{sv}");

        for (const sd_bus_vtable *v = o->vtable; r >= 0 && v->type != _SD_BUS_VTABLE_END; v++)
                if (v->type == _SD_BUS_VTABLE_PROPERTY)
                        r = append_property(m, o, v);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* The path, and the same interfaces as libsystemd has. */
static int append_interfaces(sd_bus_message *m, const BusObject *o) {
        int r = sd_bus_message_append_basic(m, 'o', o->path);

        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sa{sv}}");
        if (r >= 0)
                r = sd_bus_message_append(m, "{sa{sv}}{sa{sv}}{sa{sv}}", DBUS_INTERFACE "Peer", 0,
                                DBUS_INTERFACE "Introspectable", 0, DBUS_INTERFACE "Properties", 0);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'e', "sa{sv}");
        if (r >= 0)
                r = sd_bus_message_append_basic(m, 's', o->interface);
        if (r >= 0)
                r = append_properties(m, o);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int bus_object_append(sd_bus_message *m, const BusObject *o) {
        int r = sd_bus_message_open_container(m, 'e', "oa{sa{sv}}");

        if (r >= 0)
                r = append_interfaces(m, o);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int bus_object_emit_added(sd_bus *bus, const char *manager_path, const BusObject *o) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r = sd_bus_message_new_signal(
                        bus, &m, manager_path, DBUS_INTERFACE "ObjectManager", "InterfacesAdded");

        if (r >= 0)
                r = append_interfaces(m, o);
        return r < 0 ? r : sd_bus_send(bus, m, NULL);
}
