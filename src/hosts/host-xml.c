/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/host-xml.h"

#include "basic/string-util.h"
#include "hosts/xml-util.h"
#include "json/json-table.h"

int pool_xml_read(const char *xml, size_t size, char **ret_type, char **ret_path) {
        _cleanup_free_ char *type = NULL, *path = NULL;
        _cleanup_doc_ xmlDoc *doc = NULL;
        const xmlNode *root;
        int r = xml_parse(xml, size, "pool", &doc);

        if (r < 0)
                return r;
        root = xmlDocGetRootElement(doc);
        type = xml_attribute_or_empty(root, "type");
        path = xml_text(xml_child(xml_child(root, "target"), "path"));
        if (!type || !path)
                return -ENOMEM;
        *ret_type = TAKE_PTR(type);
        *ret_path = TAKE_PTR(path);
        return 0;
}

int volume_xml_read(const char *xml, size_t size, char **ret_type, char **ret_format, char **ret_path) {
        _cleanup_free_ char *type = NULL, *format = NULL, *path = NULL;
        _cleanup_doc_ xmlDoc *doc = NULL;
        const xmlNode *root, *target;
        int r = xml_parse(xml, size, "volume", &doc);

        if (r < 0)
                return r;
        root = xmlDocGetRootElement(doc);
        target = xml_child(root, "target");
        type = xml_attribute_or_empty(root, "type");
        format = xml_attribute_or_empty(xml_child(target, "format"), "type");
        path = xml_text(xml_child(target, "path"));
        if (!type || !format || !path)
                return -ENOMEM;
        *ret_type = TAKE_PTR(type);
        *ret_format = TAKE_PTR(format);
        *ret_path = TAKE_PTR(path);
        return 0;
}

int interface_xml_read(const char *xml, size_t size, bool *ret_bridge) {
        _cleanup_doc_ xmlDoc *doc = NULL;
        int r = xml_parse(xml, size, "interface", &doc);

        if (r < 0)
                return r;
        *ret_bridge = xml_attribute_is(xmlDocGetRootElement(doc), "type", "bridge");
        return 0;
}

int network_xml_read(const char *xml, size_t size, char **ret_mode, char **ret_bridge) {
        _cleanup_free_ char *mode = NULL, *bridge = NULL;
        _cleanup_doc_ xmlDoc *doc = NULL;
        const xmlNode *root, *forward;
        int r = xml_parse(xml, size, "network", &doc);

        if (r < 0)
                return r;
        root = xmlDocGetRootElement(doc);
        forward = xml_child(root, "forward");
        mode = forward ? xml_attribute(forward, "mode") : strdup("isolated");
        if (forward && !mode)
                mode = strdup("nat"); /* the default of an element without a mode */
        bridge = xml_attribute_or_empty(xml_child(root, "bridge"), "name");
        if (!mode || !bridge)
                return -ENOMEM;
        *ret_mode = TAKE_PTR(mode);
        *ret_bridge = TAKE_PTR(bridge);
        return 0;
}

/* --- capabilities ---------------------------------------------------------------------------------- */

/* The named attributes, or with no attribute the texts, of like elements: a list of strings. */
static json_t *collect(const xmlNode *parent, const char *element, const char *attribute) {
        _cleanup_json_ json_t *list = json_array();

        for (const xmlNode *n = parent ? parent->children : NULL; n && list; n = n->next) {
                _cleanup_free_ char *text = NULL;

                if (!xml_is_element(n, element))
                        continue;
                text = attribute ? xml_attribute(n, attribute) : xml_text(n);
                if (!isempty(text) && json_array_append_new(list, json_string(text)) < 0)
                        return NULL;
        }
        return TAKE_PTR(list);
}

static json_t *cpu_info(const xmlNode *cpu) {
        _cleanup_free_ char *arch = xml_text(xml_child(cpu, "arch")),
                            *model = xml_text(xml_child(cpu, "model")),
                            *vendor = xml_text(xml_child(cpu, "vendor"));
        const xmlNode *topology = xml_child(cpu, "topology");

        if (!arch || !model || !vendor)
                return NULL;
        return json_pack("{s:s, s:s, s:s, s:{s:I, s:I, s:I}, s:o}", "architecture", arch, "model", model,
                        "vendor", vendor, "topology", "sockets",
                        (json_int_t) (xml_attribute_number(topology, "sockets") & INT32_MAX), "cores",
                        (json_int_t) (xml_attribute_number(topology, "cores") & INT32_MAX), "threads",
                        (json_int_t) (xml_attribute_number(topology, "threads") & INT32_MAX), "features",
                        collect(cpu, "feature", "name"));
}

static json_t *security_models(const xmlNode *host) {
        _cleanup_json_ json_t *list = json_array();

        for (const xmlNode *n = host ? host->children : NULL; n && list; n = n->next) {
                _cleanup_free_ char *model = NULL;

                if (!xml_is_element(n, "secmodel"))
                        continue;
                model = xml_text(xml_child(n, "model"));
                if (!isempty(model) && json_array_append_new(list, json_string(model)) < 0)
                        return NULL;
        }
        return TAKE_PTR(list);
}

static json_t *guest(const xmlNode *n) {
        _cleanup_free_ char *os = xml_text(xml_child(n, "os_type"));
        const xmlNode *arch = xml_child(n, "arch");
        _cleanup_free_ char *name = xml_attribute_or_empty(arch, "name");

        if (!os || !name)
                return NULL;
        return json_pack("{s:s, s:s, s:o, s:o}", "os_type", os, "architecture", name, "domain_types",
                        collect(arch, "domain", "type"), "machines", collect(arch, "machine", NULL));
}

static json_t *guests(const xmlNode *root) {
        _cleanup_json_ json_t *list = json_array();

        for (const xmlNode *n = root->children; n && list; n = n->next)
                if (xml_is_element(n, "guest") && json_array_append_new(list, guest(n)) < 0)
                        return NULL;
        return TAKE_PTR(list);
}

int capabilities_xml_read(const char *xml, size_t size, json_t **ret) {
        _cleanup_doc_ xmlDoc *doc = NULL;
        const xmlNode *root, *host;
        json_t *o;
        int r = xml_parse(xml, size, "capabilities", &doc);

        if (r < 0)
                return r;
        root = xmlDocGetRootElement(doc);
        host = xml_child(root, "host");
        o = json_pack("{s:o, s:{s:o, s:b}, s:{s:o}}", "cpu_info", cpu_info(xml_child(host, "cpu")),
                        "security_info", "models", security_models(host), "iommu",
                        xml_attribute_is(xml_child(host, "iommu"), "support", "yes"), "virt_info", "guests",
                        guests(root));
        if (!o)
                return -ENOMEM;
        *ret = o;
        return 0;
}
