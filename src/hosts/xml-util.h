/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading libvirt's XML, which comes from another machine: nothing is fetched, no entity is expanded, a
 * document type is refused. Strings that are returned are UTF-8, and the caller's to free. */

#include <jansson.h>
#include <libxml/tree.h>

#include "basic/macro.h"

#define LIBVIRT_XML_MAX ((size_t) 8 * 1024 * 1024)

static inline void xml_doc_freep(xmlDoc **doc) {
        if (*doc)
                xmlFreeDoc(*doc);
}
#define _cleanup_doc_ _cleanup_(xml_doc_freep)

/* Parses a document whose root element is @root. 0, or -EBADMSG. */
int xml_parse(const char *xml, size_t size, const char *root, xmlDoc **ret);

bool xml_is_element(const xmlNode *n, const char *name) _pure_;
/* The first child element of that name, or NULL; also NULL if @parent is. */
const xmlNode *xml_child(const xmlNode *parent, const char *name) _pure_;

/* An attribute, or NULL: it is not there, or out of memory. */
char *xml_attribute(const xmlNode *n, const char *name);
/* The same with "" in place of a missing one; NULL only when out of memory. */
char *xml_attribute_or_empty(const xmlNode *n, const char *name);
bool xml_attribute_is(const xmlNode *n, const char *name, const char *value);
/* The text in an element; "" if there is none or @n is NULL; NULL when out of memory. */
char *xml_text(const xmlNode *n);
/* The same as a number; 0 if it is none. */
uint64_t xml_number(const xmlNode *n);
uint64_t xml_attribute_number(const xmlNode *n, const char *name);

/* An object of some attributes of @n, as pairs of key and attribute that end with NULL; those that are
 * missing are left out. NULL when out of memory. */
json_t *xml_attributes(const xmlNode *n, const char *const *pairs);
#define XML_ATTRIBUTES(n, ...) xml_attributes(n, (const char *const[]){ __VA_ARGS__, NULL })
