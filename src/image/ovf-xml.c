/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/ovf-xml.h"

#include <strings.h>

#include "basic/parse-util.h"
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

const char *ovf_child_text(const xmlNode *node, const char *name) {
        for (const xmlNode *c = node->children; c; c = c->next)
                if (c->type == XML_ELEMENT_NODE && strcasecmp((const char *) c->name, name) == 0)
                        return only_text(c->children);
        return NULL;
}

/* Like DSP0004: "byte * 2^20"; and the words that were in use before it. */
static const struct {
        const char *unit;
        unsigned shift;
} units_table[] = {
        { "byte", 0 },
        { "bytes", 0 },
        { "kb", 10 },
        { "kilobyte", 10 },
        { "kilobytes", 10 },
        { "mb", 20 },
        { "megabyte", 20 },
        { "megabytes", 20 },
        { "gb", 30 },
        { "gigabyte", 30 },
        { "gigabytes", 30 },
        { "tb", 40 },
        { "terabyte", 40 },
        { "terabytes", 40 },
};

static int unit_shift(const char *units, unsigned *ret) {
        char tidy[32], *star;
        size_t n = 0;
        uint64_t exponent = 0;

        for (const char *p = units; *p; p++) {
                if (*p == ' ' || *p == '\t')
                        continue;
                if (n + 1 >= sizeof(tidy))
                        return -EINVAL;
                tidy[n++] = *p;
        }
        tidy[n] = 0;
        star = strstr(tidy, "*2^");
        if (star && (parse_uint64(star + 3, &exponent) < 0 || exponent > 62))
                return -EINVAL;
        if (star)
                *star = 0;
        for (size_t i = 0; i < ELEMENTSOF(units_table); i++)
                if (strcasecmp(units_table[i].unit, tidy) == 0) {
                        *ret = units_table[i].shift + (unsigned) exponent;
                        return 0;
                }
        return -EINVAL;
}

uint64_t ovf_capacity(const char *number, const char *units) {
        unsigned shift = 0;
        uint64_t n;

        if (!number || parse_uint64(number, &n) < 0 ||
                        unit_shift(isempty(units) ? "byte" : units, &shift) < 0)
                return 0;
        return shift < 64 && n <= UINT64_MAX >> shift ? n << shift : 0;
}
