/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/domain-extended.h"

#include "basic/string-util.h"
#include "hosts/domain-disk.h"
#include "hosts/xml-util.h"
#include "json/json-table.h"

/* What is read of a device: each kind of device is a table of these. */
typedef enum FieldKind {
        FIELD_TEXT, /* an attribute; left out if it is missing */
        FIELD_NUMBER, /* an attribute that is a number */
        FIELD_YES, /* an attribute that is "yes" or "on" */
        FIELD_PRESENT, /* whether the element is there */
        FIELD_CONTENT, /* the text in the element */
} FieldKind;

typedef struct Field {
        const char *key; /* NULL ends a table */
        FieldKind kind;
        const char *element; /* a child of the device; NULL: the device itself */
        const char *attribute;
} Field;

typedef struct Section {
        const char *key; /* NULL ends a table */
        const char *element; /* of <devices> */
        const Field *fields;
        /* Adds what the table does not cover; may be NULL. 0 or -ENOMEM. */
        int (*finish)(const xmlNode *n, json_t *o);
} Section;

/* --- fields ---------------------------------------------------------------------------------------- */

static json_t *field_value(const Field *f, const xmlNode *n) {
        _cleanup_free_ char *text = NULL;

        if (f->kind == FIELD_PRESENT)
                return json_boolean(n != NULL);
        if (f->kind == FIELD_NUMBER)
                return json_integer((json_int_t) (xml_attribute_number(n, f->attribute) & INT64_MAX));
        text = f->kind == FIELD_CONTENT ? xml_text(n) : xml_attribute(n, f->attribute);
        if (f->kind == FIELD_YES)
                return json_boolean(streq_ptr(text, "yes") || streq_ptr(text, "on"));
        return text && *text ? json_string(text) : json_null();
}

static int put_fields(json_t *o, const Field *fields, const xmlNode *device) {
        for (const Field *f = fields; f->key; f++) {
                json_t *value = field_value(f, f->element ? xml_child(device, f->element) : device);

                if (json_is_null(value))
                        continue;
                if (json_object_set_new(o, f->key, value) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* --- devices --------------------------------------------------------------------------------------- */

static int finish_disk(const xmlNode *n, json_t *o) {
        _cleanup_free_ char *source = domain_disk_source(n);

        return source && json_object_set_new(o, "source", json_string(source)) < 0 ? -ENOMEM : 0;
}

static int finish_port(const xmlNode *n, json_t *o) {
        static const char *const attributes[] = { "network", "bridge", "dev" };
        const xmlNode *source = xml_child(n, "source");

        for (size_t i = 0; i < ELEMENTSOF(attributes); i++) {
                _cleanup_free_ char *value = xml_attribute(source, attributes[i]);

                if (!value)
                        continue;
                if (json_object_set_new(o, "source", json_string(value)) < 0 ||
                                json_object_set_new(o, "sourceType", json_string(attributes[i])) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static const Field disk_fields[] = {
        { "deviceType", FIELD_TEXT, NULL, "device" },
        { "sourceType", FIELD_TEXT, NULL, "type" },
        { "target", FIELD_TEXT, "target", "dev" },
        { "bus", FIELD_TEXT, "target", "bus" },
        { "driverName", FIELD_TEXT, "driver", "name" },
        { "driverType", FIELD_TEXT, "driver", "type" },
        { "driverCache", FIELD_TEXT, "driver", "cache" },
        { "discard", FIELD_TEXT, "driver", "discard" },
        { "detectZeroes", FIELD_TEXT, "driver", "detect_zeroes" },
        { "bootOrder", FIELD_NUMBER, "boot", "order" },
        { "readonly", FIELD_PRESENT, "readonly", NULL },
        { "shareable", FIELD_PRESENT, "shareable", NULL },
        { "encrypted", FIELD_PRESENT, "encryption", NULL },
        { "removable", FIELD_YES, "target", "removable" },
        {},
};

static const Field port_fields[] = {
        { "interfaceType", FIELD_TEXT, NULL, "type" },
        { "macAddress", FIELD_TEXT, "mac", "address" },
        { "model", FIELD_TEXT, "model", "type" },
        { "portGroup", FIELD_TEXT, "source", "portgroup" },
        { "target", FIELD_TEXT, "target", "dev" },
        { "linkState", FIELD_TEXT, "link", "state" },
        { "driverName", FIELD_TEXT, "driver", "name" },
        { "driverQueues", FIELD_NUMBER, "driver", "queues" },
        { "mtu", FIELD_NUMBER, "mtu", "size" },
        { "bootOrder", FIELD_NUMBER, "boot", "order" },
        { "alias", FIELD_TEXT, "alias", "name" },
        { "trustGuestRxFilters", FIELD_YES, NULL, "trustGuestRxFilters" },
        {},
};

static const Field video_fields[] = {
        { "model", FIELD_TEXT, "model", "type" },
        { "vram", FIELD_NUMBER, "model", "vram" },
        { "heads", FIELD_NUMBER, "model", "heads" },
        { "primary", FIELD_YES, "model", "primary" },
        {},
};

/* Of those devices that consist of little more than a type and a model. */
static const Field plain_fields[] = {
        { "type", FIELD_TEXT, NULL, "type" },
        { "model", FIELD_TEXT, NULL, "model" },
        { "mode", FIELD_TEXT, NULL, "mode" },
        { "managed", FIELD_YES, NULL, "managed" },
        { "index", FIELD_NUMBER, NULL, "index" },
        { "bus", FIELD_TEXT, NULL, "bus" },
        { "action", FIELD_TEXT, NULL, "action" },
        { "target", FIELD_TEXT, "target", "name" },
        { "targetType", FIELD_TEXT, "target", "type" },
        { "alias", FIELD_TEXT, "alias", "name" },
        {},
};

static const Field filesystem_fields[] = {
        { "type", FIELD_TEXT, NULL, "type" },
        { "accessMode", FIELD_TEXT, NULL, "accessmode" },
        { "source", FIELD_TEXT, "source", "dir" },
        { "target", FIELD_TEXT, "target", "dir" },
        { "readonly", FIELD_PRESENT, "readonly", NULL },
        {},
};

static const Field tpm_fields[] = {
        { "model", FIELD_TEXT, NULL, "model" },
        { "backend", FIELD_TEXT, "backend", "type" },
        { "version", FIELD_TEXT, "backend", "version" },
        {},
};

static const Section sections[] = {
        { "disk_attachments", "disk", disk_fields, finish_disk },
        { "port_attachments", "interface", port_fields, finish_port },
        { "video_attachments", "video", video_fields, NULL },
        { "filesystem_attachments", "filesystem", filesystem_fields, NULL },
        { "tpm_attachments", "tpm", tpm_fields, NULL },
        { "controller_attachments", "controller", plain_fields, NULL },
        { "host_device_attachments", "hostdev", plain_fields, NULL },
        { "watchdog_attachments", "watchdog", plain_fields, NULL },
        { "serial_device_attachments", "serial", plain_fields, NULL },
        { "channel_attachments", "channel", plain_fields, NULL },
        { "sound_attachments", "sound", plain_fields, NULL },
        { "input_attachments", "input", plain_fields, NULL },
        { "rng_attachments", "rng", plain_fields, NULL },
        { "memory_balloon_attachments", "memballoon", plain_fields, NULL },
        { "vsock_attachments", "vsock", plain_fields, NULL },
        {},
};

/* One list of like elements below @parent; each has its number in it as its id. */
static json_t *list_elements(const xmlNode *parent, const Section *s) {
        _cleanup_json_ json_t *list = json_array();

        for (const xmlNode *n = parent ? parent->children : NULL; n && list; n = n->next) {
                _cleanup_json_ json_t *o = NULL;

                if (!xml_is_element(n, s->element))
                        continue;
                o = json_pack("{s:I}", "id", (json_int_t) json_array_size(list) + 1);
                if (!o || put_fields(o, s->fields, n) < 0 || (s->finish && s->finish(n, o) < 0) ||
                                json_array_append(list, o) < 0)
                        return NULL;
        }
        return TAKE_PTR(list);
}

/* --- the VM ---------------------------------------------------------------------------------------- */

static const Field vm_fields[] = {
        { "name", FIELD_CONTENT, "name", NULL },
        { "uuid", FIELD_CONTENT, "uuid", NULL },
        { "domainUuid", FIELD_CONTENT, "uuid", NULL },
        { "title", FIELD_CONTENT, "title", NULL },
        { "description", FIELD_CONTENT, "description", NULL },
        { "machine", FIELD_CONTENT, "machine", NULL },
        {},
};

static const Field graphics_fields[] = {
        { "graphics_type", FIELD_TEXT, "graphics", "type" },
        { "graphics_port", FIELD_TEXT, "graphics", "port" },
        { "graphics_listen", FIELD_TEXT, "graphics", "listen" },
        {},
};

static json_t *vm_info(const xmlNode *root) {
        _cleanup_json_ json_t *o = json_object();
        json_int_t current =
                        (json_int_t) ((xml_number(xml_child(root, "currentMemory")) * 1024) & INT64_MAX);

        if (!o || put_fields(o, vm_fields, root) < 0 ||
                        put_fields(o, graphics_fields, xml_child(root, "devices")) < 0)
                return NULL;
        /* All VMs of libvirt are managed. */
        if (json_object_update_new(o,
                            json_pack("{s:s, s:I, s:b}", "source", "managed", "currentMemory", current,
                                            "isTemplate", 0)) < 0)
                return NULL;
        return TAKE_PTR(o);
}

static json_t *cpu_topology(const xmlNode *cpu) {
        const xmlNode *n = xml_child(cpu, "topology");

        if (!n)
                return json_null();
        return json_pack("{s:I, s:I, s:I}", "sockets",
                        (json_int_t) (xml_attribute_number(n, "sockets") & INT32_MAX), "cores",
                        (json_int_t) (xml_attribute_number(n, "cores") & INT32_MAX), "threads",
                        (json_int_t) (xml_attribute_number(n, "threads") & INT32_MAX));
}

static const Field feature_fields[] = {
        { "name", FIELD_TEXT, NULL, "name" },
        { "policy", FIELD_TEXT, NULL, "policy" },
        {},
};
static const Section features = { "cpu_features", "feature", feature_fields, NULL };

static const Field label_fields[] = {
        { "type", FIELD_TEXT, NULL, "type" },
        { "model", FIELD_TEXT, NULL, "model" },
        { "relabel", FIELD_YES, NULL, "relabel" },
        { "label", FIELD_CONTENT, "label", NULL },
        {},
};
static const Section labels = { "security_labels", "seclabel", label_fields, NULL };

static const Field boot_fields[] = {
        { "dev", FIELD_TEXT, NULL, "dev" },
        {},
};
static const Section boots = { "boot_devices", "boot", boot_fields, NULL };

static json_t *boot_config(const xmlNode *os) {
        _cleanup_free_ char *loader = xml_text(xml_child(os, "loader")),
                            *kernel = xml_text(xml_child(os, "kernel"));
        _cleanup_free_ char *firmware = xml_attribute_or_empty(os, "firmware");

        if (!loader || !kernel || !firmware)
                return NULL;
        return json_pack("{s:s, s:s, s:s, s:o}", "firmware", firmware, "loader", loader, "kernel", kernel,
                        boots.key, list_elements(os, &boots));
}

/* Hugepages and the like: one object, if there is anything to say. */
static json_t *memory_configs(const xmlNode *backing) {
        if (!backing)
                return json_array();
        return json_pack("[{s:i, s:s, s:b, s:b, s:b}]", "id", 1, "configType", "memoryBacking", "locked",
                        xml_child(backing, "locked") != NULL, "nosharepages",
                        xml_child(backing, "nosharepages") != NULL, "hugepages",
                        xml_child(backing, "hugepages") != NULL);
}

int domain_xml_extended(const char *xml, size_t size, json_t **ret) {
        _cleanup_json_ json_t *o = NULL;
        _cleanup_doc_ xmlDoc *doc = NULL;
        const xmlNode *root, *devices, *cpu;
        int r = xml_parse(xml, size, "domain", &doc);

        if (r < 0)
                return r;
        root = xmlDocGetRootElement(doc);
        devices = xml_child(root, "devices");
        cpu = xml_child(root, "cpu");
        o = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "vm_info", vm_info(root), "cpu_topology",
                        cpu_topology(cpu), features.key, list_elements(cpu, &features), "memory_configs",
                        memory_configs(xml_child(root, "memoryBacking")), labels.key,
                        list_elements(root, &labels), "boot_config", boot_config(xml_child(root, "os")));
        if (!o)
                return -ENOMEM;
        for (const Section *s = sections; s->key; s++)
                if (json_object_set_new(o, s->key, list_elements(devices, s)) < 0)
                        return -ENOMEM;
        *ret = TAKE_PTR(o);
        return 0;
}
