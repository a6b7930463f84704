/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading XML that a server has sent. Nothing is fetched, a document type is
 * refused (hence there are no entities but those of XML itself), and size, depth and number of elements
 * are limited, so that no document needs more than about 64 MiB. */

#include <libxml/tree.h>

#include "basic/macro.h"

#define XML_SIZE_MAX ((size_t) 16 * 1024 * 1024)
#define XML_ELEMENTS_MAX 200000U
#define XML_DEPTH_MAX 64U
#define XML_TEXT_MAX ((size_t) 4096) /* of one string that is read; names have 80 characters, paths 255 */

static inline void xml_document_freep(xmlDoc **d) {
        if (*d)
                xmlFreeDoc(*d);
}
#define _cleanup_xml_ _cleanup_(xml_document_freep)

/* 0, -EBADMSG for what is malformed or refused, -EFBIG for what is over a limit, or -ENOMEM. */
int xml_document_parse(const char *data, size_t size, xmlDoc **ret);

/* All of the following accept NULL in place of a node, as if it was empty. Names are local names.
 *
 * The first child of that name, or NULL */
const xmlNode *node_child(const xmlNode *n, const char *name) _pure_;
/* The same for "a/b/c" */
const xmlNode *node_path(const xmlNode *n, const char *path) _pure_;
/* The next sibling that has the same name, or NULL */
const xmlNode *node_next(const xmlNode *n) _pure_;
#define NODE_FOREACH(i, parent, name) \
        for (const xmlNode *i = node_child((parent), (name)); i; i = node_next(i))
/* The local part of xsi:type ("VirtualDisk"), or "" */
const char *node_type(const xmlNode *n) _pure_;
/* The text, which is borrowed; "" if there is none, or if it is longer than XML_TEXT_MAX. */
const char *node_text(const xmlNode *n) _pure_;
bool node_is(const xmlNode *n, const char *text) _pure_;
/* A copy of the text. 0 or -ENOMEM. NULL if there is no such node or no text in it. */
int node_dup(const xmlNode *n, char **ret);
/* 0 if it is none, or if there is no such node. */
uint64_t node_number(const xmlNode *n) _pure_;
/* "true" or "1" */
bool node_bool(const xmlNode *n) _pure_;
