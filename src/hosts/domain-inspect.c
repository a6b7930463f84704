/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/domain-inspect.h"

#include "basic/string-util.h"
#include "hosts/domain-disk.h"
#include "hosts/xml-util.h"
#include "spec/concern.h"
#include "json/json-table.h"

/* The strings that a ConcernDisk refers to. */
typedef struct DiskNames {
        char *label, *kind, *parent;
} DiskNames;

typedef struct Inspection {
        const DomainFacts *facts;
        json_t *disks, *nics, *concerns;
        ConcernDisk *of_disks;
        DiskNames *names;
        size_t n_disks, room;
        char **pci, **usb;
        size_t n_nics;
        bool tpm;
} Inspection;

static void inspection_done(Inspection *i) {
        for (size_t k = 0; k < i->n_disks; k++) {
                free(i->names[k].label);
                free(i->names[k].kind);
                free(i->names[k].parent);
        }
        free(i->of_disks);
        free(i->names);
        strv_free(i->pci);
        strv_free(i->usb);
        json_decref(i->disks);
        json_decref(i->nics);
        json_decref(i->concerns);
}

/* --- disks ----------------------------------------------------------------------------------------- */

/* What it is if it is neither a file nor a block device; NULL also when out of memory. */
static char *kind_of(const char *type, const char *source) {
        if (streq(type, "file") || streq(type, "block"))
                return NULL;
        return isempty(source) ? strdup(type) : strprintf("%s (%s)", type, source);
}

/* The image below it; NULL also when out of memory. Without a file it has an empty <backingStore/>. */
static char *parent_of(const xmlNode *disk) {
        const xmlNode *below = xml_child(disk, "backingStore");

        return below && xml_child(below, "source") ? domain_disk_source(below) : NULL;
}

static bool is_encrypted(const xmlNode *disk) {
        return xml_child(disk, "encryption") || xml_child(xml_child(disk, "source"), "encryption");
}

static int more_room(Inspection *i) {
        size_t room = i->room > 0 ? 2 * i->room : 4;
        ConcernDisk *disks;
        DiskNames *names;

        if (i->n_disks < i->room)
                return 0;
        disks = reallocarray(i->of_disks, room, sizeof(*disks));
        if (disks)
                i->of_disks = disks;
        names = reallocarray(i->names, room, sizeof(*names));
        if (names)
                i->names = names;
        if (!disks || !names)
                return -ENOMEM;
        i->room = room;
        return 0;
}

static int add_disk(Inspection *i, const xmlNode *n) {
        _cleanup_free_ char *type = xml_attribute(n, "type"), *file = domain_disk_source(n),
                            *format = xml_attribute(xml_child(n, "driver"), "type"),
                            *target = xml_attribute(xml_child(n, "target"), "dev");
        const DomainFacts *facts = i->facts;
        bool has_file = !type || streq(type, "file") || streq(type, "block");
        uint64_t bytes = facts->size_of && target ? facts->size_of(facts->userdata, target) : 0;
        json_t *size = bytes > 0 && bytes <= INT64_MAX ? json_integer((json_int_t) bytes) : json_null();
        DiskNames *names;
        int r = more_room(i);

        if (json_array_append_new(i->disks,
                            json_pack("{s:s?, s:s?, s:o}", "file", has_file ? file : NULL, "format", format,
                                            "size", size)) < 0 ||
                        r < 0)
                return -ENOMEM;
        names = &i->names[i->n_disks];
        *names = (DiskNames){ .label = strdup(target ? target : "?"),
                .kind = has_file ? NULL : kind_of(type, file),
                .parent = parent_of(n) };
        i->of_disks[i->n_disks++] = (ConcernDisk){ .label = names->label,
                .kind = names->kind,
                .parent = names->parent,
                .size = bytes,
                .size_unknown = bytes == 0,
                .shared = xml_child(n, "shareable") != NULL,
                .encrypted = is_encrypted(n) };
        return names->label && (has_file || names->kind) ? 0 : -ENOMEM;
}

/* --- other devices --------------------------------------------------------------------------------- */

static int add_nic(Inspection *i, const xmlNode *n) {
        const xmlNode *source = xml_child(n, "source");
        _cleanup_free_ char *mac = xml_attribute(xml_child(n, "mac"), "address"),
                            *type = xml_attribute(n, "type"), *network = xml_attribute(source, "network"),
                            *bridge = xml_attribute(source, "bridge"),
                            *device = xml_attribute(source, "dev");

        i->n_nics++;
        return json_array_append_new(i->nics,
                               json_pack("{s:s?, s:s?, s:s?}", "type", type, "mac", mac, "network",
                                               network                  ? network
                                                               : bridge ? bridge
                                                                        : device)) < 0
                        ? -ENOMEM
                        : 0;
}

/* The digits of "0x1d"; NULL when out of memory. */
static char *hexadecimal(const xmlNode *n, const char *name) {
        _cleanup_free_ char *text = xml_attribute(n, name);
        const char *digits = text ? startswith(text, "0x") : NULL;

        return strdup(digits ? digits : text ? text : "0");
}

/* "0000:03:00.0", "1d6b:0002" */
static int add_host_device(Inspection *i, const xmlNode *n) {
        const xmlNode *source = xml_child(n, "source"), *address = xml_child(source, "address");
        bool pci = xml_attribute_is(n, "type", "pci");
        _cleanup_free_ char *domain = NULL, *bus = NULL, *slot = NULL, *function = NULL;

        if (!pci && !xml_attribute_is(n, "type", "usb"))
                return 0;
        if (!pci) {
                bus = hexadecimal(xml_child(source, "vendor"), "id");
                slot = hexadecimal(xml_child(source, "product"), "id");
                return bus && slot ? strv_extendf(&i->usb, "%s:%s", bus, slot) : -ENOMEM;
        }
        domain = hexadecimal(address, "domain");
        bus = hexadecimal(address, "bus");
        slot = hexadecimal(address, "slot");
        function = hexadecimal(address, "function");
        return domain && bus && slot && function
                        ? strv_extendf(&i->pci, "%s:%s:%s.%s", domain, bus, slot, function)
                        : -ENOMEM;
}

static int add_device(Inspection *i, const xmlNode *n) {
        if (xml_is_element(n, "disk")) {
                _cleanup_free_ char *device = xml_attribute(n, "device");

                return !device || streq(device, "disk") || streq(device, "lun") ? add_disk(i, n) : 0;
        }
        if (xml_is_element(n, "interface"))
                return add_nic(i, n);
        if (xml_is_element(n, "hostdev"))
                return add_host_device(i, n);
        i->tpm = i->tpm || xml_is_element(n, "tpm");
        return 0;
}

/* --- all of it ------------------------------------------------------------------------------------- */

static const char *firmware_of(const xmlNode *root) {
        const xmlNode *os = xml_child(root, "os");

        return xml_attribute_is(os, "firmware", "efi") ||
                                        xml_attribute_is(xml_child(os, "loader"), "type", "pflash")
                        ? "efi"
                        : "bios";
}

static int read_all(Inspection *i, const xmlNode *root) {
        const DomainFacts *facts = i->facts;
        const xmlNode *devices = xml_child(root, "devices");
        int r = 0;

        i->disks = json_array();
        i->nics = json_array();
        i->concerns = json_array();
        if (!i->disks || !i->nics || !i->concerns)
                return -ENOMEM;
        for (const xmlNode *n = devices ? devices->children : NULL; n && r >= 0; n = n->next)
                r = add_device(i, n);
        if (r < 0)
                return r;
        /* "running" would say that it can be copied meanwhile. */
        return concerns_add_vm(i->concerns,
                        &(ConcernVm){ .in_use = facts->running,
                                        .suspended = facts->suspended,
                                        .other_machine = facts->other_machine,
                                        .tpm = i->tpm,
                                        .snapshots = facts->snapshots,
                                        .pci_devices = i->pci,
                                        .usb_devices = i->usb,
                                        .n_nics = i->n_nics,
                                        .has_disks = true,
                                        .disks = i->of_disks,
                                        .n_disks = i->n_disks });
}

int domain_xml_inspect(const char *xml, size_t size, const DomainFacts *facts, json_t **ret) {
        _cleanup_(inspection_done) Inspection i = { .facts = facts };
        _cleanup_doc_ xmlDoc *doc = NULL;
        int r = xml_parse(xml, size, "domain", &doc);

        if (r >= 0)
                r = read_all(&i, xmlDocGetRootElement(doc));
        if (r < 0)
                return r;
        *ret = json_pack("{s:O, s:{s:{s:s}, s:O, s:I}, s:O}", "disks", i.disks, "vm", "hardware", "firmware",
                        firmware_of(xmlDocGetRootElement(doc)), "nics", i.nics, "snapshot_count",
                        (json_int_t) facts->snapshots, "concerns", i.concerns);
        return *ret ? 0 : -ENOMEM;
}

int domain_xml_concerns(const char *xml, size_t size, const DomainFacts *facts, char **ret) {
        _cleanup_json_ json_t *found = NULL;
        json_t *concerns;
        char *text;
        int r = domain_xml_inspect(xml, size, facts, &found);

        if (r < 0)
                return r;
        concerns = json_object_get(found, "concerns");
        concerns_shorten(concerns);
        text = json_dumps(concerns, JSON_COMPACT);
        if (text)
                *ret = text;
        return text ? 0 : -ENOMEM;
}
