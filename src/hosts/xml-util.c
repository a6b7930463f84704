/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/xml-util.h"

#include <libxml/parser.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "json/json-table.h"

static void xml_text_freep(xmlChar **text) {
        if (*text)
                xmlFree(*text);
}
#define _cleanup_xml_text_ _cleanup_(xml_text_freep)

bool xml_is_element(const xmlNode *n, const char *name) {
        return n->type == XML_ELEMENT_NODE && streq((const char *) n->name, name);
}

int xml_parse(const char *xml, size_t size, const char *root, xmlDoc **ret) {
        _cleanup_doc_ xmlDoc *doc = NULL;
        const xmlNode *n;

        if (size > LIBVIRT_XML_MAX)
                return -EBADMSG;
        doc = xmlReadMemory(xml, (int) size, NULL, NULL,
                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
        if (!doc)
                return -EBADMSG;
        n = xmlDocGetRootElement(doc);
        if (doc->intSubset || doc->extSubset || !n || !xml_is_element(n, root))
                return -EBADMSG;
        *ret = TAKE_PTR(doc);
        return 0;
}

const xmlNode *xml_child(const xmlNode *parent, const char *name) {
        for (const xmlNode *n = parent ? parent->children : NULL; n; n = n->next)
                if (xml_is_element(n, name))
                        return n;
        return NULL;
}

char *xml_attribute(const xmlNode *n, const char *name) {
        _cleanup_xml_text_ xmlChar *value = n ? xmlGetNoNsProp(n, (const xmlChar *) name) : NULL;

        return value ? strdup((const char *) value) : NULL;
}

char *xml_attribute_or_empty(const xmlNode *n, const char *name) {
        _cleanup_xml_text_ xmlChar *value = n ? xmlGetNoNsProp(n, (const xmlChar *) name) : NULL;

        return strdup(value ? (const char *) value : "");
}

bool xml_attribute_is(const xmlNode *n, const char *name, const char *value) {
        _cleanup_free_ char *is = xml_attribute(n, name);

        return streq_ptr(is, value);
}

char *xml_text(const xmlNode *n) {
        _cleanup_xml_text_ xmlChar *text = n ? xmlNodeGetContent(n) : NULL;

        return strdup(text ? (const char *) text : "");
}

uint64_t xml_number(const xmlNode *n) {
        _cleanup_free_ char *text = xml_text(n);
        uint64_t number;

        return text && parse_uint64(text, &number) >= 0 ? number : 0;
}

uint64_t xml_attribute_number(const xmlNode *n, const char *name) {
        _cleanup_free_ char *text = xml_attribute(n, name);
        uint64_t number;

        return text && parse_uint64(text, &number) >= 0 ? number : 0;
}

static int put_attribute(json_t *o, const char *key, const xmlNode *n, const char *name) {
        _cleanup_free_ char *value = xml_attribute(n, name);

        if (!value)
                return 0;
        return json_object_set_new(o, key, json_string(value)) < 0 ? -ENOMEM : 0;
}

json_t *xml_attributes(const xmlNode *n, const char *const *pairs) {
        _cleanup_json_ json_t *o = json_object();

        for (; o && *pairs; pairs += 2)
                if (put_attribute(o, pairs[0], n, pairs[1]) < 0)
                        return NULL;
        return TAKE_PTR(o);
}
