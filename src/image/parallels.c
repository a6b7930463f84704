/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/tree.h>

#include "basic/string-util.h"
#include "image/image.h"
#include "image/parallels.h"
#include "image/refusal.h"

#define DEPTH_MAX 16

/* Called at "<!DOCTYPE", before anything that it declares is read. */
static void refuse_doctype(
                void *context, const xmlChar *name, const xmlChar *external, const xmlChar *system) {
        xmlStopParser(context);
}

static xmlDoc *parse_xml(const char *text, size_t size) {
        xmlParserCtxt *c = xmlCreateMemoryParserCtxt(text, (int) size);

        if (!c)
                return NULL;
        (void) xmlCtxtUseOptions(c,
                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA |
                                        XML_PARSE_COMPACT);
        c->sax->internalSubset = refuse_doctype;
        (void) xmlParseDocument(c);
        xmlDoc *doc = c->myDoc;
        if (!c->wellFormed || c->disableSAX) {
                xmlFreeDoc(doc);
                doc = NULL;
        }
        c->myDoc = NULL;
        xmlFreeParserCtxt(c);
        return doc;
}

typedef struct Disk {
        unsigned storages, images;
        const xmlNode *image; /* the last one */
} Disk;

static bool is_element(const xmlNode *node, const char *name) {
        return node->type == XML_ELEMENT_NODE && streq((const char *) node->name, name);
}

static void count(const xmlNode *node, unsigned depth, Disk *d) {
        for (; node && depth < DEPTH_MAX; node = node->next) {
                d->storages += is_element(node, "Storage");
                if (is_element(node, "Image")) {
                        d->images++;
                        d->image = node;
                }
                count(node->children, depth + 1, d);
        }
}

/* "" if it is not there, or no plain text. */
static const char *text_of(const xmlNode *node, const char *name) {
        for (const xmlNode *n = node->children; n; n = n->next)
                if (is_element(n, name) && n->children && n->children->type == XML_TEXT_NODE &&
                                !n->children->next)
                        return (const char *) n->children->content;
        return "";
}

static int check_disk(const xmlNode *root, const char *file, char **ret_error) {
        Disk d = {};

        if (!root || !is_element(root, "Parallels_disk_image"))
                return refuse(ret_error,
                                "the first element of its " PARALLELS_DESCRIPTOR
                                " is not Parallels_disk_image");
        count(root->children, 0, &d);
        if (d.storages == 1 && d.images > 1)
                return refuse(ret_error,
                                "it is one of %u images of a disk with snapshots: delete the snapshots "
                                "first, "
                                "so that one image holds all of the disk",
                                d.images);
        if (d.storages != 1 || d.images != 1)
                return refuse(ret_error,
                                "its disk is split into %u images, which is not supported: make one of them "
                                "first",
                                d.images);
        const char *name = text_of(d.image, "File"), *slash = strrchr(name, '/');
        if (!streq(slash ? slash + 1 : name, file))
                return refuse(ret_error, "the image of its disk is \"%s\", as " PARALLELS_DESCRIPTOR " says",
                                name);
        return 0;
}

int parallels_check_descriptor(const char *text, size_t size, const char *file, char **ret_error) {
        if (size == 0 || size > PARALLELS_DESCRIPTOR_MAX)
                return refuse(ret_error, "its " PARALLELS_DESCRIPTOR " has %zu bytes", size);
        xmlDoc *doc = parse_xml(text, size);
        if (!doc)
                return refuse(ret_error, "its " PARALLELS_DESCRIPTOR " is not well-formed XML");
        int r = check_disk(xmlDocGetRootElement(doc), file, ret_error);
        xmlFreeDoc(doc);
        return r;
}
