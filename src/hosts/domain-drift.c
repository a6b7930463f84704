/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/domain-drift.h"

#include "basic/string-util.h"
#include "hosts/domain-disk.h"
#include "hosts/xml-util.h"

/* libvirt completes the live description: ports, names of interfaces, models of processors. Each of these is
 * a text of what a person can set, or NULL without memory. */

static char *vcpus_text(const xmlNode *n) {
        _cleanup_free_ char *text = xml_text(n), *current = xml_attribute(n, "current");

        return text ? strprintf("%s/%s", text, current ? current : text) : NULL;
}

static char *disk_text(const xmlNode *n) {
        const xmlNode *target = xml_child(n, "target");
        _cleanup_free_ char *source = domain_disk_source(n), *dev = xml_attribute(target, "dev"),
                            *bus = xml_attribute(target, "bus"), *device = xml_attribute(n, "device");

        return strprintf("%s %s %s %s", strempty(dev), strempty(bus), device ? device : "disk",
                        strempty(source));
}

/* A network is also shown by its bridge while the VM runs. */
static char *network_text(const xmlNode *n) {
        static const char *const keys[] = { "network", "bridge", "dev", "path" };
        _cleanup_free_ char *mac = xml_attribute(xml_child(n, "mac"), "address"),
                            *model = xml_attribute(xml_child(n, "model"), "type"), *source = NULL;

        for (size_t i = 0; i < ELEMENTSOF(keys) && !source; i++)
                source = xml_attribute(xml_child(n, "source"), keys[i]);
        return strprintf("%s %s %s", strempty(mac), strempty(model), strempty(source));
}

static char *display_text(const xmlNode *n) {
        return xml_attribute_or_empty(n, "type");
}

static const struct {
        const char *name, *element;
        bool is_device;
        char *(*text)(const xmlNode *n);
} parts[] = {
        { "vcpus", "vcpu", false, vcpus_text },
        { "memory", "memory", false, xml_text },
        { "disks", "disk", true, disk_text },
        { "networks", "interface", true, network_text },
        { "displays", "graphics", true, display_text },
};

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

/* The texts of a part, in an order that does not depend on the description. */
static int describe(xmlDoc *doc, size_t part, char **ret) {
        const xmlNode *root = xmlDocGetRootElement(doc),
                      *parent = parts[part].is_device ? xml_child(root, "devices") : root;
        _cleanup_strv_free_ char **texts = NULL;
        int r = 0;

        for (const xmlNode *n = parent ? parent->children : NULL; n && r >= 0; n = n->next)
                if (xml_is_element(n, parts[part].element))
                        r = strv_consume(&texts, parts[part].text(n));
        if (r < 0)
                return r;
        if (texts)
                qsort(texts, strv_length(texts), sizeof(*texts), compare);
        *ret = strv_join(texts, "\n");
        return *ret ? 0 : -ENOMEM;
}

static int part_differs(xmlDoc *a, xmlDoc *b, size_t part) {
        _cleanup_free_ char *one = NULL, *other = NULL;
        int r = describe(a, part, &one);

        if (r >= 0)
                r = describe(b, part, &other);
        return r < 0 ? r : !streq(one, other);
}

int domain_xml_drift(const char *live, size_t live_size, const char *persistent, size_t persistent_size,
                char **ret) {
        _cleanup_doc_ xmlDoc *a = NULL, *b = NULL;
        _cleanup_strv_free_ char **names = NULL;
        int r = xml_parse(live, live_size, "domain", &a);

        if (r >= 0)
                r = xml_parse(persistent, persistent_size, "domain", &b);
        for (size_t i = 0; i < ELEMENTSOF(parts) && r >= 0; i++) {
                r = part_differs(a, b, i);
                if (r > 0)
                        r = strv_extend(&names, parts[i].name);
        }
        if (r < 0)
                return r;
        *ret = strv_join(names, ", ");
        return *ret ? 0 : -ENOMEM;
}
