/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/domain-capabilities.h"

#include "basic/string-util.h"
#include "hosts/xml-util.h"
#include "spec/vm-value.h"

/* <parent><enum name="NAME"><value>VALUE</value>… */
static bool has_value(const xmlNode *parent, const char *name, const char *value) {
        for (const xmlNode *e = xml_child(parent, "enum"); e; e = e->next) {
                if (!xml_is_element(e, "enum") || !xml_attribute_is(e, "name", name))
                        continue;
                for (const xmlNode *v = e->children; v; v = v->next) {
                        _cleanup_free_ char *text = xml_is_element(v, "value") ? xml_text(v) : NULL;
                        if (text && streq(text, value))
                                return true;
                }
        }
        return false;
}

static bool has_mode(const xmlNode *cpu, const char *name) {
        for (const xmlNode *m = xml_child(cpu, "mode"); m; m = m->next)
                if (xml_is_element(m, "mode") && xml_attribute_is(m, "name", name))
                        return xml_attribute_is(m, "supported", "yes");
        return false;
}

int domain_capabilities_read(const char *xml, size_t size, KvmTarget *t) {
        _cleanup_doc_ xmlDoc *doc = NULL;
        _cleanup_free_ char *type = NULL;
        int r = xml_parse(xml, size, "domainCapabilities", &doc);

        if (r < 0)
                return r;
        const xmlNode *root = xmlDocGetRootElement(doc), *os = xml_child(root, "os"),
                      *loader = xml_child(os, "loader"), *cpu = xml_child(root, "cpu"),
                      *devices = xml_child(root, "devices"), *tpm = xml_child(devices, "tpm");

        type = xml_text(xml_child(root, "domain"));
        if (!type)
                return -ENOMEM;
        if (!vm_is_word(type) || strlen(type) > VM_WORD_MAX)
                return -EBADMSG;
        free(t->type);
        t->type = TAKE_PTR(type);
        t->efi = has_value(os, "firmware", "efi");
        t->secure_boot = t->efi && has_value(loader, "secure", "yes");
        t->host_model = has_mode(cpu, "host-model");
        t->maximum = has_mode(cpu, "maximum");
        t->virtio_vga = has_value(xml_child(devices, "video"), "modelType", "virtio");
        t->tpm = has_value(tpm, "model", "tpm-crb") && has_value(tpm, "backendModel", "emulator");
        return 0;
}

int domain_macs_read(const char *xml, size_t size, char ***macs) {
        _cleanup_doc_ xmlDoc *doc = NULL;
        int r = xml_parse(xml, size, "domain", &doc);

        if (r < 0)
                return r;
        const xmlNode *n = xml_child(xml_child(xmlDocGetRootElement(doc), "devices"), "interface");
        for (; n; n = n->next) {
                _cleanup_free_ char *mac = xml_is_element(n, "interface")
                                ? xml_attribute(xml_child(n, "mac"), "address")
                                : NULL;
                char normal[VM_MAC_SIZE];

                if (!mac || vm_mac_normalize(mac, normal) < 0)
                        continue;
                r = strv_extend(macs, normal);
                if (r < 0)
                        return r;
        }
        return 0;
}
