/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/domain-xml.h"

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "hosts/domain-disk.h"
#include "hosts/xml-util.h"
#include "spec/vm-value.h"
#include "json/json-table.h"

void domain_summary_done(DomainSummary *s) {
        free(s->description);
        free(s->cpu_model);
        free(s->cpu_topology);
        free(s->os_type);
        strv_free(s->disks);
        strv_free(s->macs);
        *s = (DomainSummary){};
}

/* --- disks ----------------------------------------------------------------------------------------- */

static json_t *disk_to_json(const xmlNode *n) {
        _cleanup_json_ json_t *driver = NULL, *target = NULL;
        _cleanup_free_ char *type = xml_attribute(n, "type"), *path = domain_disk_source(n);
        _cleanup_free_ char *device = xml_attribute(n, "device");

        driver = XML_ATTRIBUTES(xml_child(n, "driver"), "driver_name", "name", "type", "type");
        target = XML_ATTRIBUTES(xml_child(n, "target"), "dev", "dev", "bus", "bus");
        if (!driver || !target)
                return NULL;
        /* libvirt leaves out what is the default. */
        return json_pack("{s:s, s:s, s:O, s:s, s:O, s:b}", "type", type ? type : "file", "device",
                        device ? device : "disk", "driver", driver, "path", strempty(path), "target", target,
                        "readonly", xml_child(n, "readonly") != NULL);
}

/* --- networks, graphics ---------------------------------------------------------------------------- */

static json_t *network_to_json(const xmlNode *n) {
        _cleanup_json_ json_t *mac = NULL, *source = NULL, *model = NULL, *target = NULL;
        _cleanup_free_ char *type = xml_attribute(n, "type");

        mac = XML_ATTRIBUTES(xml_child(n, "mac"), "address", "address");
        source = XML_ATTRIBUTES(xml_child(n, "source"), "bridge", "bridge", "network", "network",
                        "portgroup", "portgroup", "dev", "dev", "mode", "mode", "path", "path", "address",
                        "address", "port", "port");
        /* Clients of two versions read it under two names. */
        model = XML_ATTRIBUTES(xml_child(n, "model"), "model_type", "type", "type", "type");
        target = XML_ATTRIBUTES(xml_child(n, "target"), "dev", "dev");
        if (!mac || !source || !model || !target)
                return NULL;
        return json_pack("{s:s, s:O, s:O, s:O, s:O}", "type", strempty(type), "mac", mac, "source", source,
                        "model", model, "target", target);
}

static json_t *graphics_to_json(const xmlNode *n) {
        _cleanup_json_ json_t *o = XML_ATTRIBUTES(n, "type", "type", "listen", "listen", "socket", "socket");
        _cleanup_free_ char *port = xml_attribute(n, "port");
        unsigned number;

        /* -1: libvirt will choose one when the VM starts */
        if (!o ||
                        (port && parse_unsigned(port, &number) >= 0 &&
                                        json_object_set_new(o, "port", json_integer(number)) < 0))
                return NULL;
        return TAKE_PTR(o);
}

/* --- all of it ------------------------------------------------------------------------------------- */

int domain_xml_hardware(const char *xml, size_t size, json_t **ret) {
        static const struct {
                const char *element, *key;
                json_t *(*to_json)(const xmlNode *n);
        } kinds[] = {
                { "disk", "disks", disk_to_json },
                { "interface", "networks", network_to_json },
                { "graphics", "graphics", graphics_to_json },
        };
        _cleanup_json_ json_t *hardware = json_object();
        _cleanup_doc_ xmlDoc *doc = NULL;
        const xmlNode *devices;
        int r = xml_parse(xml, size, "domain", &doc);

        if (r < 0)
                return r;
        devices = xml_child(xmlDocGetRootElement(doc), "devices");
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                json_t *list = json_array(); /* hardware's */

                if (!list || json_object_set_new(hardware, kinds[i].key, list) < 0)
                        return -ENOMEM;
                for (const xmlNode *n = devices ? devices->children : NULL; n; n = n->next)
                        if (xml_is_element(n, kinds[i].element) &&
                                        json_array_append_new(list, kinds[i].to_json(n)) < 0)
                                return -ENOMEM;
        }
        *ret = TAKE_PTR(hardware);
        return 0;
}

/* libosinfo puts its id for the guest's system into the metadata, "http://debian.org/debian/12": its last
 * two parts are what people call it. */
static char *find_os_id(const xmlNode *root) {
        const xmlNode *info = xml_child(xml_child(root, "metadata"), "libosinfo");
        _cleanup_free_ char *id = xml_attribute(xml_child(info, "os"), "id");
        const char *p = id ? strstr(id, "://") : NULL, *slash = p ? strchr(p + 3, '/') : NULL;

        return slash && slash[1] ? strdup(slash + 1) : NULL;
}

static char *find_cpu_model(const xmlNode *cpu) {
        char *model = xml_text(xml_child(cpu, "model"));

        if (!isempty(model))
                return model;
        free(model);
        return xml_attribute_or_empty(cpu, "mode");
}

static char *find_cpu_topology(const xmlNode *cpu) {
        const xmlNode *n = xml_child(cpu, "topology");

        if (!n)
                return strdup("");
        _cleanup_json_ json_t *topology = json_pack("{s:I, s:I, s:I}", "sockets",
                        (json_int_t) (xml_attribute_number(n, "sockets") & INT32_MAX), "cores",
                        (json_int_t) (xml_attribute_number(n, "cores") & INT32_MAX), "threads",
                        (json_int_t) (xml_attribute_number(n, "threads") & INT32_MAX));
        return topology ? json_dumps(topology, JSON_COMPACT) : NULL;
}

static int read_devices(const xmlNode *devices, DomainSummary *s) {
        int r = 0;

        for (const xmlNode *n = devices ? devices->children : NULL; n && r >= 0; n = n->next) {
                if (xml_is_element(n, "graphics")) {
                        s->vnc = s->vnc || xml_attribute_is(n, "type", "vnc");
                        s->spice = s->spice || xml_attribute_is(n, "type", "spice");
                } else if (xml_is_element(n, "disk")) {
                        _cleanup_free_ char *device = xml_attribute(n, "device"),
                                            *target = xml_attribute(xml_child(n, "target"), "dev");

                        if (!isempty(target) && (!device || streq(device, "disk")))
                                r = strv_extend(&s->disks, target);
                } else if (xml_is_element(n, "interface")) {
                        _cleanup_free_ char *mac = xml_attribute(xml_child(n, "mac"), "address");
                        char normal[VM_MAC_SIZE];

                        if (mac && vm_mac_normalize(mac, normal) >= 0)
                                r = strv_extend(&s->macs, normal);
                }
        }
        return r;
}

int domain_xml_summary(const char *xml, size_t size, DomainSummary *ret) {
        _cleanup_(domain_summary_done) DomainSummary s = {};
        _cleanup_doc_ xmlDoc *doc = NULL;
        const xmlNode *root, *text;
        int r = xml_parse(xml, size, "domain", &doc);

        if (r < 0)
                return r;
        root = xmlDocGetRootElement(doc);
        text = xml_child(root, "description");
        s.description = xml_text(text ? text : xml_child(root, "title"));
        s.cpu_model = find_cpu_model(xml_child(root, "cpu"));
        s.cpu_topology = find_cpu_topology(xml_child(root, "cpu"));
        s.os_type = find_os_id(root);
        if (!s.os_type)
                s.os_type = xml_text(xml_child(xml_child(root, "os"), "type"));
        if (!s.description || !s.cpu_model || !s.cpu_topology || !s.os_type)
                return -ENOMEM;
        r = read_devices(xml_child(root, "devices"), &s);
        if (r < 0)
                return r;
        *ret = s;
        s = (DomainSummary){};
        return 0;
}
