/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <strings.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "image/ovf-hardware.h"
#include "image/ovf-xml.h"
#include "image/ovf.h"

void ovf_descriptor_done(OvfDescriptor *d) {
        for (size_t i = 0; i < d->n_disks; i++) {
                free(d->disks[i].id);
                free(d->disks[i].file);
                free(d->disks[i].compression);
        }
        free(d->disks);
        vm_hardware_free(d->vm);
        *d = (OvfDescriptor){};
}

#define ovf_error(ret, ...)                      \
        ({                                       \
                *(ret) = strprintf(__VA_ARGS__); \
                *(ret) ? -EBADMSG : -ENOMEM;     \
        })

/* The one file whose attribute @key has that value; *ret NULL: none. */
static int find_file_by(const xmlNode *references, const char *key, const char *value, const xmlNode **ret,
                char **ret_error) {
        const xmlNode *found = NULL;

        for (const xmlNode *f = references ? ovf_next_element(references->children, "File") : NULL; f;
                        f = ovf_next_element(f->next, "File")) {
                const char *v = ovf_attribute(f, key);
                if (!v || !streq(v, value))
                        continue;
                if (found)
                        return ovf_error(ret_error, "it lists two files of the %s \"%s\"", key, value);
                found = f;
        }
        *ret = found;
        return 0;
}

/* Old versions of oVirt refer to a file by its name. */
static int find_file(const xmlNode *references, const char *id, const xmlNode **ret, char **ret_error) {
        const xmlNode *found = NULL;

        int r = find_file_by(references, "id", id, &found, ret_error);
        if (r >= 0 && !found)
                r = find_file_by(references, "href", id, &found, ret_error);
        if (r < 0)
                return r;
        if (!found)
                return ovf_error(ret_error, "it lists no file of the id \"%s\", which a disk refers to", id);
        *ret = found;
        return 0;
}

static int optional_number(const xmlNode *node, const char *name, uint64_t *ret) {
        const char *text = ovf_attribute(node, name);

        *ret = 0;
        return isempty(text) ? 0 : parse_uint64(text, ret);
}

static int disk_file(OvfDisk *d, const xmlNode *references, const char *ref, char **ret_error) {
        const xmlNode *file;
        int r = find_file(references, ref, &file, ret_error);

        if (r < 0)
                return r;
        const char *href = ovf_attribute(file, "href"), *compression = ovf_attribute(file, "compression");
        if (isempty(href))
                return ovf_error(ret_error, "the file of the id \"%s\" has no name", ref);
        if (optional_number(file, "chunkSize", &d->chunk_size) < 0)
                return ovf_error(ret_error, "the chunkSize of %s is no number", href);
        /* Some exporters write a size that is none; it is needed for chunks only. */
        if (optional_number(file, "size", &d->file_size) < 0)
                d->file_size = 0;
        d->file = strdup(href);
        if (!d->file)
                return -ENOMEM;
        if (isempty(compression) || streq(compression, "identity"))
                return 0;
        d->compression = strdup(compression);
        return d->compression ? 0 : -ENOMEM;
}

/* oVirt says it in words of its own, others with the URI of the format. */
static bool disk_is_raw(const xmlNode *disk) {
        const char *volume = ovf_attribute(disk, "volume-format"),
                   *format = strempty(ovf_attribute(disk, "format"));
        size_t n = strlen(format);

        return (volume && strcasecmp(volume, "RAW") == 0) ||
                        (n >= 3 && strcasecmp(format + n - 3, "raw") == 0);
}

/* oVirt writes no capacity, but a size in gibibytes. */
static uint64_t disk_capacity(const xmlNode *disk) {
        const char *capacity = ovf_attribute(disk, "capacity");

        return capacity ? ovf_capacity(capacity, ovf_attribute(disk, "capacityAllocationUnits"))
                        : ovf_capacity(ovf_attribute(disk, "size"), "gigabytes");
}

static int add_disk(OvfDescriptor *d, const xmlNode *disk, const xmlNode *references, char **ret_error) {
        const char *id = strempty(ovf_attribute(disk, "diskId")), *ref = ovf_attribute(disk, "fileRef");

        if (!isempty(ovf_attribute(disk, "parentRef")))
                return ovf_error(ret_error,
                                "the disk \"%s\" is a delta on another one: export the machine without "
                                "snapshots",
                                id);
        if (d->n_disks >= OVF_DISKS_MAX)
                return ovf_error(ret_error, "it has more than %d disks", OVF_DISKS_MAX);
        if (!GREEDY_REALLOC(d->disks, d->allocated, d->n_disks + 1))
                return -ENOMEM;
        OvfDisk *new = &d->disks[d->n_disks];
        *new = (OvfDisk){ .id = strdup(id) };
        if (!new->id)
                return -ENOMEM;
        d->n_disks++;
        new->capacity = disk_capacity(disk);
        new->is_raw = disk_is_raw(disk);
        return isempty(ref) ? 0 : disk_file(new, references, ref, ret_error);
}

static bool is_disk_section(const xmlNode *node) {
        return ovf_is_section(node, "DiskSection");
}

static int read_envelope(const xmlNode *root, OvfDescriptor *d, char **ret_error) {
        if (!root || !ovf_is_element(root, "Envelope"))
                return ovf_error(ret_error, "its first element is not \"Envelope\"");
        const xmlNode *references = ovf_next_element(root->children, "References");
        for (const xmlNode *s = root->children; s; s = s->next)
                for (const xmlNode *disk = is_disk_section(s) ? ovf_next_element(s->children, "Disk") : NULL;
                                disk; disk = ovf_next_element(disk->next, "Disk")) {
                        int r = add_disk(d, disk, references, ret_error);
                        if (r < 0)
                                return r;
                }
        return ovf_hardware_read(root, d, &d->vm);
}

/* Called at "<!DOCTYPE", before anything that it declares is read. */
static void refuse_doctype(
                void *context, const xmlChar *name, const xmlChar *external, const xmlChar *system) {
        xmlParserCtxt *c = context;

        c->_private = c;
        xmlStopParser(c);
}

static xmlDoc *parse_xml(const char *text, size_t size, bool *ret_doctype, int *ret_line) {
        xmlParserCtxt *c = xmlCreateMemoryParserCtxt(text, (int) size);
        xmlDoc *doc;

        if (!c)
                return NULL;
        (void) xmlCtxtUseOptions(c,
                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA |
                                        XML_PARSE_COMPACT);
        c->sax->internalSubset = refuse_doctype;
        (void) xmlParseDocument(c);
        *ret_doctype = c->_private != NULL;
        *ret_line = c->lastError.line;
        doc = c->myDoc;
        if (!c->wellFormed || *ret_doctype) {
                xmlFreeDoc(doc);
                doc = NULL;
        }
        c->myDoc = NULL;
        xmlFreeParserCtxt(c);
        return doc;
}

int ovf_parse(const char *text, size_t size, OvfDescriptor *ret, char **ret_error) {
        _cleanup_ovf_ OvfDescriptor d = {};
        bool doctype = false;
        int line = 0;

        if (size == 0 || size > OVF_MAX)
                return ovf_error(ret_error, "it has %zu bytes, 1 to %zu are allowed", size, OVF_MAX);
        xmlDoc *doc = parse_xml(text, size, &doctype, &line);
        if (doctype)
                return ovf_error(ret_error, "it has a DOCTYPE, which no OVF needs");
        if (!doc)
                return ovf_error(ret_error, "it is not well-formed XML (line %d)", line);
        int r = read_envelope(xmlDocGetRootElement(doc), &d, ret_error);
        xmlFreeDoc(doc);
        if (r < 0)
                return r;
        *ret = d;
        d = (OvfDescriptor){};
        return 0;
}

char *ovf_decode_href(const char *href) {
        _cleanup_free_ char *decoded = strdup(href);
        char *to = decoded;

        if (!decoded)
                return NULL;
        for (const char *p = href; *p; p++) {
                if (*p != '%') {
                        *to++ = *p;
                        continue;
                }
                int high = parse_hex_digit(p[1]), low = high >= 0 ? parse_hex_digit(p[2]) : -EINVAL;
                if (low < 0 || (high == 0 && low == 0))
                        return NULL;
                *to++ = (char) (high << 4 | low);
                p += 2;
        }
        *to = 0;
        return TAKE_PTR(decoded);
}
