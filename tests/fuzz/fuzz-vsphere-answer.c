/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SOAP answers of a vSphere server: the envelope, faults, and all that is decoded from properties. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "vsphere/changes.h"
#include "vsphere/fault.h"
#include "vsphere/lease.h"
#include "vsphere/session.h"
#include "vsphere/soap.h"
#include "vsphere/vm.h"

/* "Login" for <LoginResponse>, as a client that called Login would decode it */
static char *method_of(const char *data, size_t size) {
        _cleanup_xml_ xmlDoc *d = NULL;
        const xmlNode *n;
        const char *end;

        if (xml_document_parse(data, size, &d) < 0)
                return strdup("Login");
        n = node_child(xmlDocGetRootElement(d), "Body");
        for (n = n ? n->children : NULL; n && n->type != XML_ELEMENT_NODE; n = n->next)
                ;
        end = n ? endswith((const char *) n->name, "Response") : NULL;
        return end ? strndup((const char *) n->name, (size_t) (end - (const char *) n->name))
                   : strdup("Login");
}

static void check_text(const char *text) {
        if (text && (!utf8_is_valid(text) || strlen(text) > XML_TEXT_MAX))
                abort();
}

static void read_vm(PropertyObject o) {
        _cleanup_vm_detail_ VmDetail d = {};
        size_t links = 0;

        if (vm_detail_read(o, &d) < 0)
                return;
        check_text(d.summary.id);
        for (size_t i = 0; i < d.n_disks; i++) {
                check_text(d.disks[i].file);
                links += d.disks[i].links;
        }
        if (links > XML_ELEMENTS_MAX || !d.summary.name)
                abort();
}

static void read_lease(const xmlNode *info) {
        _cleanup_lease_ Lease l = {};

        if (lease_info_read(info, "2001:db8::1", &l) < 0)
                return;
        for (size_t i = 0; i < l.n_devices; i++)
                if (!startswith(l.devices[i].url, "https://") || !l.devices[i].key)
                        abort();
}

static void read_object(PropertyObject o) {
        _cleanup_fault_ Fault f = {}, missing = {};
        const xmlNode *info = property_value(o, "info");

        read_vm(o);
        read_lease(info);
        (void) fault_from_error(node_child(info, "error"), &f);
        (void) fault_from_error(node_path(o.node, "missingSet/fault"), &missing);
        check_text(missing.text);
}

#define CAPACITY (UINT64_C(1) << 32)

static int check_area(uint64_t start, uint64_t length, void *userdata) {
        if (length == 0 || start < *(uint64_t *) userdata || start >= CAPACITY || length > CAPACITY - start)
                abort();
        return 0;
}

static void read_changes(const xmlNode *value) {
        uint64_t start = node_number(node_child(value, "startOffset")), next;

        if (changes_read(value, start, CAPACITY, check_area, &start, &next) >= 0 && next <= start)
                abort();
}

static void read_value(const xmlNode *value) {
        _cleanup_lease_manifest_ LeaseManifest m = {};
        ServerInfo info = {};

        if (server_info_read(value, &info) >= 0) {
                if (!info.property_collector)
                        abort();
                server_info_done(&info);
        }
        (void) lease_manifest_read(value, &m);
        read_changes(value);
        NODE_FOREACH(i, value, "objects")
        read_object((PropertyObject){ i });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *method = method_of((const char *) data, size);
        _cleanup_answer_ SoapAnswer answer = {};
        _cleanup_fault_ Fault f = {};
        const xmlNode *fault = NULL;

        if (!method || soap_answer_parse((const char *) data, size, method, &answer, &fault) < 0)
                return 0;
        read_value(answer.value);
        if (fault && fault_from_soap(fault, &f) >= 0) {
                check_text(f.text);
                if (fault_errno(strempty(f.type)) >= 0)
                        abort();
        }
        return 0;
}
