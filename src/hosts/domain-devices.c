/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/domain-devices.h"

#include "basic/string-util.h"
#include "hosts/domain-disk.h"
#include "hosts/xml-util.h"

typedef int (*add_device)(const xmlNode *n, const char *uuid, const char *name, HostItems *items);

static int add_disk(const xmlNode *n, const char *uuid, const char *name, HostItems *items) {
        const xmlNode *target = xml_child(n, "target");
        _cleanup_free_ char *source = domain_disk_source(n), *dev = xml_attribute_or_empty(target, "dev"),
                            *bus = xml_attribute_or_empty(target, "bus"),
                            *device = xml_attribute(n, "device"), *type = xml_attribute(n, "type"),
                            *format = xml_attribute_or_empty(xml_child(n, "driver"), "type");

        /* libvirt leaves out what is the default. */
        return host_items_add(items,
                        TEXTS(uuid, name, dev, bus, device ? device : "disk", type ? type : "file", format,
                                        strempty(source)),
                        NUMBERS(0, xml_child(n, "readonly") != NULL, xml_child(n, "shareable") != NULL));
}

/* A port leads to a network, a bridge, or a device of the host. */
static char *port_source(const xmlNode *source) {
        static const char *const attributes[] = { "network", "bridge", "dev", "path", "address" };

        for (size_t i = 0; i < ELEMENTSOF(attributes); i++) {
                char *value = xml_attribute(source, attributes[i]);

                if (value)
                        return value;
        }
        return strdup("");
}

static int add_port(const xmlNode *n, const char *uuid, const char *name, HostItems *items) {
        const xmlNode *source = xml_child(n, "source");
        _cleanup_free_ char *mac = xml_attribute_or_empty(xml_child(n, "mac"), "address"),
                            *model = xml_attribute_or_empty(xml_child(n, "model"), "type"),
                            *type = xml_attribute_or_empty(n, "type"), *to = port_source(source),
                            *group = xml_attribute_or_empty(source, "portgroup"),
                            *target = xml_attribute_or_empty(xml_child(n, "target"), "dev"),
                            *link = xml_attribute(xml_child(n, "link"), "state");

        return host_items_add(items,
                        TEXTS(uuid, name, mac, model, type, to, group, target, link ? link : "up"),
                        NUMBERS(0, 0));
}

static int add_devices(const char *xml, size_t size, const char *element, add_device add, const char *uuid,
                const char *name, HostItems *items) {
        _cleanup_doc_ xmlDoc *doc = NULL;
        const xmlNode *devices;
        int r = xml_parse(xml, size, "domain", &doc);

        if (r < 0)
                return r;
        devices = xml_child(xmlDocGetRootElement(doc), "devices");
        for (const xmlNode *n = devices ? devices->children : NULL; n && r >= 0; n = n->next)
                if (xml_is_element(n, element))
                        r = add(n, uuid, name, items);
        return r;
}

int domain_xml_disks(const char *xml, size_t size, const char *uuid, const char *name, HostItems *items) {
        return add_devices(xml, size, "disk", add_disk, uuid, name, items);
}

int domain_xml_ports(const char *xml, size_t size, const char *uuid, const char *name, HostItems *items) {
        return add_devices(xml, size, "interface", add_port, uuid, name, items);
}

/* --- displays -------------------------------------------------------------------------------------- */

static int find_display(const xmlNode *devices, const char *type, unsigned *ret_index) {
        unsigned index = 0;

        for (const xmlNode *n = devices ? devices->children : NULL; n; n = n->next) {
                if (!xml_is_element(n, "graphics"))
                        continue;
                if (xml_attribute_is(n, "type", type)) {
                        *ret_index = index;
                        return 0;
                }
                index++;
        }
        return -ENOENT;
}

int domain_xml_display(
                const char *xml, size_t size, const char *type, unsigned *ret_index, const char **ret_type) {
        static const char *const types[] = { "vnc", "spice" };
        _cleanup_doc_ xmlDoc *doc = NULL;
        const xmlNode *devices;
        int r = xml_parse(xml, size, "domain", &doc);

        if (r < 0)
                return r;
        devices = xml_child(xmlDocGetRootElement(doc), "devices");
        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                if (!isempty(type) && !streq(type, types[i]))
                        continue;
                if (find_display(devices, types[i], ret_index) < 0)
                        continue;
                *ret_type = types[i];
                return 0;
        }
        return -ENOENT;
}
