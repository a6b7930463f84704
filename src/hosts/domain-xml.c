/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libxml/parser.h>
#include <libxml/tree.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "hosts/domain-xml.h"
#include "json/json-table.h"

static void xml_free_docp(xmlDoc **doc) {
        if (*doc)
                xmlFreeDoc(*doc);
}
#define _cleanup_doc_ _cleanup_(xml_free_docp)

static void xml_freep(xmlChar **text) {
        if (*text)
                xmlFree(*text);
}
#define _cleanup_xml_ _cleanup_(xml_freep)

void domain_summary_done(DomainSummary *s) {
        s->description = mfree(s->description);
}

static bool is_element(const xmlNode *n, const char *name) {
        return n->type == XML_ELEMENT_NODE && streq((const char *) n->name, name);
}

static int parse(const char *xml, size_t size, xmlDoc **ret) {
        _cleanup_doc_ xmlDoc *doc = NULL;
        const xmlNode *root;

        if (size > DOMAIN_XML_MAX)
                return -EBADMSG;
        doc = xmlReadMemory(xml, (int) size, NULL, NULL,
                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
        if (!doc)
                return -EBADMSG;
        root = xmlDocGetRootElement(doc);
        if (doc->intSubset || doc->extSubset || !root || !is_element(root, "domain"))
                return -EBADMSG;
        *ret = TAKE_PTR(doc);
        return 0;
}

static xmlNode *child(const xmlNode *parent, const char *name) {
        for (xmlNode *n = parent ? parent->children : NULL; n; n = n->next)
                if (is_element(n, name))
                        return n;
        return NULL;
}

static char *attribute(const xmlNode *n, const char *name) {
        _cleanup_xml_ xmlChar *value = n ? xmlGetNoNsProp(n, (const xmlChar *) name) : NULL;

        return value ? strdup((const char *) value) : NULL;
}

/* Sets @key of @o to an attribute of @n, or leaves it out when there is none. */
static int put_attribute(json_t *o, const char *key, const xmlNode *n, const char *name) {
        _cleanup_free_ char *value = attribute(n, name);

        if (!value)
                return 0;
        return json_object_set_new(o, key, json_string(value)) < 0 ? -ENOMEM : 0;
}

/* An object of some attributes, as pairs of key and attribute that end with NULL. */
static json_t *attributes(const xmlNode *n, const char *const *pairs) {
        _cleanup_json_ json_t *o = json_object();

        for (; o && *pairs; pairs += 2)
                if (put_attribute(o, pairs[0], n, pairs[1]) < 0)
                        return NULL;
        return TAKE_PTR(o);
}
#define ATTRIBUTES(n, ...) attributes(n, (const char *const[]){ __VA_ARGS__, NULL })

/* --- disks ----------------------------------------------------------------------------------------- */

/* The one name of a source, whatever its type. */
static char *source_path(const xmlNode *source, const char *type) {
        _cleanup_free_ char *pool = NULL, *name = NULL;

        if (!source || !type)
                return NULL;
        if (streq(type, "file"))
                return attribute(source, "file");
        if (streq(type, "block"))
                return attribute(source, "dev");
        if (streq(type, "dir"))
                return attribute(source, "dir");
        if (streq(type, "volume")) {
                pool = attribute(source, "pool");
                name = attribute(source, "volume");
                return pool && name ? strprintf("%s/%s", pool, name) : NULL;
        }
        if (streq(type, "network")) {
                pool = attribute(source, "protocol");
                name = attribute(source, "name");
                return pool ? strprintf("%s:%s", pool, strempty(name)) : NULL;
        }
        return attribute(source, "path");
}

static json_t *disk_to_json(const xmlNode *n) {
        _cleanup_json_ json_t *o = json_object(), *driver = NULL, *target = NULL;
        _cleanup_free_ char *type = attribute(n, "type"), *path = source_path(child(n, "source"), type);
        _cleanup_free_ char *device = attribute(n, "device");

        driver = ATTRIBUTES(child(n, "driver"), "driver_name", "name", "type", "type");
        target = ATTRIBUTES(child(n, "target"), "dev", "dev", "bus", "bus");
        if (!o || !driver || !target)
                return NULL;
        /* libvirt leaves out what is the default. */
        if (json_object_set_new(o, "type", json_string(type ? type : "file")) < 0 ||
                        json_object_set_new(o, "device", json_string(device ? device : "disk")) < 0 ||
                        json_object_set(o, "driver", driver) < 0 ||
                        json_object_set_new(o, "path", json_string(strempty(path))) < 0 ||
                        json_object_set(o, "target", target) < 0 ||
                        json_object_set_new(o, "readonly", json_boolean(child(n, "readonly"))) < 0)
                return NULL;
        return TAKE_PTR(o);
}

/* --- networks, graphics ---------------------------------------------------------------------------- */

static json_t *network_to_json(const xmlNode *n) {
        _cleanup_json_ json_t *o = json_object(), *mac = NULL, *source = NULL, *model = NULL, *target = NULL;
        _cleanup_free_ char *type = attribute(n, "type");

        mac = ATTRIBUTES(child(n, "mac"), "address", "address");
        source = ATTRIBUTES(child(n, "source"), "bridge", "bridge", "network", "network", "portgroup",
                        "portgroup", "dev", "dev", "mode", "mode", "path", "path", "address", "address",
                        "port", "port");
        /* Clients of two versions read it under two names. */
        model = ATTRIBUTES(child(n, "model"), "model_type", "type", "type", "type");
        target = ATTRIBUTES(child(n, "target"), "dev", "dev");
        if (!o || !mac || !source || !model || !target)
                return NULL;
        if (json_object_set_new(o, "type", json_string(strempty(type))) < 0 ||
                        json_object_set(o, "mac", mac) < 0 || json_object_set(o, "source", source) < 0 ||
                        json_object_set(o, "model", model) < 0 || json_object_set(o, "target", target) < 0)
                return NULL;
        return TAKE_PTR(o);
}

static json_t *graphics_to_json(const xmlNode *n) {
        _cleanup_json_ json_t *o = ATTRIBUTES(n, "type", "type", "listen", "listen", "socket", "socket");
        _cleanup_free_ char *port = attribute(n, "port");
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
        int r = parse(xml, size, &doc);

        if (r < 0)
                return r;
        devices = child(xmlDocGetRootElement(doc), "devices");
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                json_t *list = json_array(); /* hardware's */

                if (!list || json_object_set_new(hardware, kinds[i].key, list) < 0)
                        return -ENOMEM;
                for (const xmlNode *n = devices ? devices->children : NULL; n; n = n->next)
                        if (is_element(n, kinds[i].element) &&
                                        json_array_append_new(list, kinds[i].to_json(n)) < 0)
                                return -ENOMEM;
        }
        *ret = TAKE_PTR(hardware);
        return 0;
}

static char *element_text(const xmlNode *n) {
        _cleanup_xml_ xmlChar *text = n ? xmlNodeGetContent(n) : NULL;

        return strdup(text ? (const char *) text : "");
}

int domain_xml_summary(const char *xml, size_t size, DomainSummary *ret) {
        _cleanup_doc_ xmlDoc *doc = NULL;
        DomainSummary s = {};
        const xmlNode *root, *devices, *text;
        int r = parse(xml, size, &doc);

        if (r < 0)
                return r;
        root = xmlDocGetRootElement(doc);
        text = child(root, "description");
        s.description = element_text(text ? text : child(root, "title"));
        if (!s.description)
                return -ENOMEM;
        devices = child(root, "devices");
        for (const xmlNode *n = devices ? devices->children : NULL; n; n = n->next) {
                _cleanup_free_ char *type = is_element(n, "graphics") ? attribute(n, "type") : NULL;

                s.vnc = s.vnc || streq_ptr(type, "vnc");
                s.spice = s.spice || streq_ptr(type, "spice");
        }
        *ret = s;
        return 0;
}
