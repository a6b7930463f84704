/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphere/xml.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"

#define XSI "http://www.w3.org/2001/XMLSchema-instance"
/* Pieces that the parser gets, so that a document that is refused is not read to its end */
#define PIECE_SIZE ((size_t) 64 * 1024)

/* --- parsing --------------------------------------------------------------------------------------- */

typedef struct Parse {
        unsigned elements, depth;
        bool over_limit, refused;
} Parse;

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                int n_namespaces, const xmlChar **namespaces, int n_attributes, int n_defaulted,
                const xmlChar **attributes) {
        xmlParserCtxt *c = context;
        Parse *p = c->_private;

        /* Namespaces and attributes need as much memory as elements. */
        p->elements += 1 + (unsigned) n_namespaces + (unsigned) n_attributes;
        if (++p->depth > XML_DEPTH_MAX || p->elements > XML_ELEMENTS_MAX) {
                p->over_limit = true;
                xmlStopParser(c);
                return;
        }
        xmlSAX2StartElementNs(context, name, prefix, uri, n_namespaces, namespaces, n_attributes,
                        n_defaulted, attributes);
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri) {
        Parse *p = ((xmlParserCtxt *) context)->_private;

        p->depth--;
        xmlSAX2EndElementNs(context, name, prefix, uri);
}

static void on_document_type(
                void *context, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id) {
        xmlParserCtxt *c = context;
        Parse *p = c->_private;

        p->refused = true;
        xmlStopParser(c);
}

/* Comments and processing instructions are no part of SOAP, and would need memory. */
static void on_comment(void *context, const xmlChar *text) {
}

static void on_instruction(void *context, const xmlChar *target, const xmlChar *data) {
        on_document_type(context, NULL, NULL, NULL);
}

static void context_freep(xmlParserCtxt **c) {
        if (*c) {
                if ((*c)->myDoc)
                        xmlFreeDoc((*c)->myDoc);
                xmlFreeParserCtxt(*c);
        }
}

static xmlParserCtxt *new_context(Parse *p) {
        xmlParserCtxt *c = xmlCreatePushParserCtxt(NULL, NULL, NULL, 0, NULL);

        if (!c)
                return NULL;
        (void) xmlCtxtUseOptions(c,
                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOBLANKS |
                                        XML_PARSE_NOCDATA | XML_PARSE_COMPACT);
        c->_private = p;
        c->sax->startElementNs = on_start;
        c->sax->endElementNs = on_end;
        c->sax->internalSubset = on_document_type;
        c->sax->comment = on_comment;
        c->sax->processingInstruction = on_instruction;
        return c;
}

int xml_document_parse(const char *data, size_t size, xmlDoc **ret) {
        Parse p = {};
        _cleanup_(context_freep) xmlParserCtxt *c = NULL;

        if (size > XML_SIZE_MAX)
                return -EFBIG;
        c = new_context(&p);
        if (!c)
                return -ENOMEM;
        for (size_t at = 0; at < size && !p.over_limit && !p.refused && c->errNo == XML_ERR_OK;
                        at += PIECE_SIZE)
                (void) xmlParseChunk(c, data + at, (int) MIN(PIECE_SIZE, size - at), 0);
        if (!p.over_limit && !p.refused && c->errNo == XML_ERR_OK)
                (void) xmlParseChunk(c, NULL, 0, 1);
        if (p.over_limit)
                return -EFBIG;
        if (c->errNo == XML_ERR_NO_MEMORY)
                return -ENOMEM;
        if (p.refused || !c->wellFormed || !c->myDoc || !xmlDocGetRootElement(c->myDoc))
                return -EBADMSG;
        *ret = TAKE_PTR(c->myDoc);
        return 0;
}

/* --- reading --------------------------------------------------------------------------------------- */

static bool is_element(const xmlNode *n, const char *name, size_t size) {
        return n->type == XML_ELEMENT_NODE && strncmp((const char *) n->name, name, size) == 0 &&
                        n->name[size] == '\0';
}

static const xmlNode *find(const xmlNode *n, const char *name, size_t size) {
        while (n && !is_element(n, name, size))
                n = n->next;
        return n;
}

const xmlNode *node_child(const xmlNode *n, const char *name) {
        return n ? find(n->children, name, strlen(name)) : NULL;
}

const xmlNode *node_next(const xmlNode *n) {
        return n ? find(n->next, (const char *) n->name, strlen((const char *) n->name)) : NULL;
}

const xmlNode *node_path(const xmlNode *n, const char *path) {
        while (n && *path) {
                size_t size = strcspn(path, "/");

                n = find(n->children, path, size);
                path += size + (path[size] == '/');
        }
        return n;
}

const char *node_type(const xmlNode *n) {
        const xmlAttr *a = n ? xmlHasNsProp(n, (const xmlChar *) "type", (const xmlChar *) XSI) : NULL;
        const char *type =
                        a && a->children && a->children->content ? (const char *) a->children->content : "";
        const char *colon = strchr(type, ':');

        return colon ? colon + 1 : type;
}

const char *node_text(const xmlNode *n) {
        const xmlNode *t = n ? n->children : NULL;

        /* Without CDATA, entities and comments, text is one node. */
        if (!t || t->type != XML_TEXT_NODE || !t->content ||
                        strnlen((const char *) t->content, XML_TEXT_MAX + 1) > XML_TEXT_MAX)
                return "";
        return (const char *) t->content;
}

bool node_is(const xmlNode *n, const char *text) {
        return n && streq(node_text(n), text);
}

int node_dup(const xmlNode *n, char **ret) {
        const char *text = node_text(n);
        char *copy = *text ? strdup(text) : NULL;

        if (*text && !copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}

uint64_t node_number(const xmlNode *n) {
        uint64_t number;

        return parse_uint64(node_text(n), &number) >= 0 ? number : 0;
}

bool node_bool(const xmlNode *n) {
        return node_is(n, "true") || node_is(n, "1");
}
