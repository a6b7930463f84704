/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/tree.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "job/ovf.h"

void ovf_descriptor_done(OvfDescriptor *d) {
        for (size_t i = 0; i < d->n_disks; i++) {
                free(d->disks[i].id);
                free(d->disks[i].file);
        }
        free(d->disks);
        *d = (OvfDescriptor){};
}

#define ovf_error(ret, ...)                      \
        ({                                       \
                *(ret) = strprintf(__VA_ARGS__); \
                *(ret) ? -EBADMSG : -ENOMEM;     \
        })

/* Some write the "ovf:" in front of attributes and some do not, and there are several versions of the
 * namespace; the local name says it all. */
static const char *attribute(const xmlNode *node, const char *name) {
        for (const xmlAttr *a = node->properties; a; a = a->next)
                if (streq((const char *) a->name, name))
                        /* An empty value has no child; an entity, which there cannot be, would be another
                         * type of child. */
                        return a->children && a->children->type == XML_TEXT_NODE && !a->children->next
                                        ? (const char *) a->children->content
                                        : "";
        return NULL;
}

static bool is_element(const xmlNode *node, const char *name) {
        return node->type == XML_ELEMENT_NODE && streq((const char *) node->name, name);
}

static const xmlNode *next_element(const xmlNode *node, const char *name) {
        while (node && !is_element(node, name))
                node = node->next;
        return node;
}

static int find_file(const xmlNode *references, const char *id, const xmlNode **ret, char **ret_error) {
        const xmlNode *found = NULL;

        for (const xmlNode *f = references ? next_element(references->children, "File") : NULL; f;
                        f = next_element(f->next, "File")) {
                const char *file_id = attribute(f, "id");
                if (!file_id || !streq(file_id, id))
                        continue;
                if (found)
                        return ovf_error(ret_error, "it lists two files of the id \"%s\"", id);
                found = f;
        }
        if (!found)
                return ovf_error(ret_error, "it lists no file of the id \"%s\", which a disk refers to", id);
        *ret = found;
        return 0;
}

static int disk_file(const xmlNode *references, const char *ref, char **ret, char **ret_error) {
        const xmlNode *file;
        int r = find_file(references, ref, &file, ret_error);

        if (r < 0)
                return r;
        const char *href = attribute(file, "href"), *compression = attribute(file, "compression");
        if (isempty(href))
                return ovf_error(ret_error, "the file of the id \"%s\" has no name", ref);
        if (!isempty(compression) && !streq(compression, "identity"))
                return ovf_error(ret_error,
                                "the disk file %s is compressed as a whole (%s): unpack it and make the OVA "
                                "again without compression",
                                href, compression);
        if (attribute(file, "chunkSize"))
                return ovf_error(ret_error, "the disk file %s is split in chunks, which is not supported",
                                href);
        *ret = strdup(href);
        return *ret ? 0 : -ENOMEM;
}

static int add_disk(OvfDescriptor *d, const xmlNode *disk, const xmlNode *references, char **ret_error) {
        const char *id = strempty(attribute(disk, "diskId")), *ref = attribute(disk, "fileRef");

        if (!isempty(attribute(disk, "parentRef")))
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
        return isempty(ref) ? 0 : disk_file(references, ref, &new->file, ret_error);
}

static int read_envelope(const xmlNode *root, OvfDescriptor *d, char **ret_error) {
        if (!root || !is_element(root, "Envelope"))
                return ovf_error(ret_error, "its first element is not \"Envelope\"");
        const xmlNode *references = next_element(root->children, "References");
        for (const xmlNode *s = next_element(root->children, "DiskSection"); s;
                        s = next_element(s->next, "DiskSection"))
                for (const xmlNode *disk = next_element(s->children, "Disk"); disk;
                                disk = next_element(disk->next, "Disk")) {
                        int r = add_disk(d, disk, references, ret_error);
                        if (r < 0)
                                return r;
                }
        return 0;
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

/* --- the manifest ------------------------------------------------------------------------------------- */

void manifest_done(Manifest *m) {
        for (size_t i = 0; i < m->n_entries; i++) {
                free(m->entries[i].algorithm);
                free(m->entries[i].file);
                free(m->entries[i].digest);
        }
        free(m->entries);
        *m = (Manifest){};
}

static size_t digest_length(const char *algorithm) {
        if (streq(algorithm, "SHA1"))
                return 40;
        if (streq(algorithm, "SHA256"))
                return 64;
        if (streq(algorithm, "SHA512"))
                return 128;
        return 0;
}

/* Lower case, and nothing but hex digits of the right number. */
static bool normalize_digest(char *digest, size_t length) {
        if (strlen(digest) != length)
                return false;
        for (char *p = digest; *p; p++) {
                if (parse_hex_digit(*p) < 0)
                        return false;
                if (*p >= 'A' && *p <= 'F')
                        *p = (char) (*p - 'A' + 'a');
        }
        return true;
}

/* 0; -EINVAL for a line of another form; -ENOMEM. */
static int parse_entry(const char *line, size_t n, ManifestEntry *ret) {
        _cleanup_free_ char *copy = strndup(line, n), *algorithm = NULL, *file = NULL, *digest = NULL;

        if (!copy)
                return -ENOMEM;
        char *open = strchr(copy, '('), *close = strrchr(copy, ')');
        if (!open || !close || close < open || open == copy)
                return -EINVAL;
        algorithm = strndup(copy, (size_t) (open - copy));
        file = strndup(open + 1, (size_t) (close - open - 1));
        char *p = close + 1 + strspn(close + 1, " \t");
        if (*p != '=')
                return -EINVAL;
        p += 1 + strspn(p + 1, " \t");
        p[strcspn(p, " \t\r")] = 0;
        digest = strdup(p);
        if (!algorithm || !file || !digest)
                return -ENOMEM;
        size_t length = digest_length(algorithm);
        if (length == 0 || !normalize_digest(digest, length) || isempty(file))
                return -EINVAL;
        *ret = (ManifestEntry){
                .algorithm = TAKE_PTR(algorithm), .file = TAKE_PTR(file), .digest = TAKE_PTR(digest)
        };
        return 0;
}

int manifest_parse(const char *text, size_t size, Manifest *ret, char **ret_error) {
        _cleanup_manifest_ Manifest m = {};
        unsigned line = 0;

        if (size > MANIFEST_MAX || memchr(text, 0, size))
                return ovf_error(ret_error, "the manifest is no text, or longer than %zu bytes",
                                MANIFEST_MAX);
        for (const char *p = text, *end = text + size; p < end;) {
                const char *newline = memchr(p, '\n', (size_t) (end - p));
                size_t n = (size_t) ((newline ? newline : end) - p);

                line++;
                if (n > 0 && !(n == 1 && p[0] == '\r')) {
                        if (!GREEDY_REALLOC(m.entries, m.allocated, m.n_entries + 1))
                                return -ENOMEM;
                        int r = parse_entry(p, n, &m.entries[m.n_entries]);
                        if (r == -EINVAL)
                                return ovf_error(ret_error,
                                                "line %u of the manifest is not of the form \"SHA256(file)= "
                                                "digest\"",
                                                line);
                        if (r < 0)
                                return r;
                        m.n_entries++;
                }
                p += n + 1;
        }
        *ret = m;
        m = (Manifest){};
        return 0;
}
