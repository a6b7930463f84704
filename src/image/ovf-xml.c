/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/ovf-xml.h"

#include <strings.h>

#include "basic/string-util.h"

/* An empty value has no child; an entity, which there cannot be, would be another type of child. */
static const char *only_text(const xmlNode *child) {
        return child && child->type == XML_TEXT_NODE && !child->next ? (const char *) child->content : "";
}

const char *ovf_attribute(const xmlNode *node, const char *name) {
        for (const xmlAttr *a = node->properties; a; a = a->next)
                if (streq((const char *) a->name, name))
                        return only_text(a->children);
        return NULL;
}

bool ovf_is_element(const xmlNode *node, const char *name) {
        return node->type == XML_ELEMENT_NODE && streq((const char *) node->name, name);
}

bool ovf_is_section(const xmlNode *node, const char *name) {
        const char *type, *colon, *rest;

        if (ovf_is_element(node, name))
                return true;
        if (!ovf_is_element(node, "Section") || !(type = ovf_attribute(node, "type")))
                return false;
        colon = strrchr(type, ':');
        rest = startswith(colon ? colon + 1 : type, name);
        return rest && streq(rest, "_Type");
}

const xmlNode *ovf_next_element(const xmlNode *node, const char *name) {
        while (node && !ovf_is_element(node, name))
                node = node->next;
        return node;
}

const xmlNode *ovf_child(const xmlNode *node, const char *name) {
        return node ? ovf_next_element(node->children, name) : NULL;
}

const char *ovf_text(const xmlNode *node) {
        return node ? only_text(node->children) : NULL;
}

const char *ovf_child_text(const xmlNode *node, const char *name) {
        for (const xmlNode *c = node->children; c; c = c->next)
                if (c->type == XML_ELEMENT_NODE && strcasecmp((const char *) c->name, name) == 0)
                        return only_text(c->children);
        return NULL;
}
