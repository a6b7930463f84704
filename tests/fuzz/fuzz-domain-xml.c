/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libvirt's description of a VM, from a host that may mean harm. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "hosts/domain-devices.h"
#include "hosts/domain-drift.h"
#include "hosts/domain-extended.h"
#include "hosts/domain-inspect.h"
#include "hosts/domain-xml.h"
#include "json/json-table.h"

/* They take the same descriptions as the others. */
static void check_devices(const char *xml, size_t size, int expected) {
        _cleanup_(host_items_done) HostItems items = {};
        _cleanup_json_ json_t *extended = NULL;
        const char *type;
        unsigned index;
        int r = domain_xml_display(xml, size, "", &index, &type);

        if ((r == -EBADMSG) != (expected == -EBADMSG) ||
                        (domain_xml_extended(xml, size, &extended) == -EBADMSG) != (expected == -EBADMSG) ||
                        (domain_xml_disks(xml, size, "u", "n", &items) == -EBADMSG) !=
                                        (expected == -EBADMSG) ||
                        (domain_xml_ports(xml, size, "u", "n", &items) == -EBADMSG) !=
                                        (expected == -EBADMSG))
                abort();
        for (size_t i = 0; i < items.n; i++)
                for (size_t k = 0; k < ITEM_TEXTS; k++)
                        if (items.items[i].texts[k] && !utf8_is_valid(items.items[i].texts[k]))
                                abort();
}

/* A description does not differ from itself, whatever is in it. */
static void check_drift(const char *xml, size_t size, int expected) {
        static const char other[] = "<domain><vcpu>1</vcpu></domain>";
        _cleanup_free_ char *none = NULL, *some = NULL;
        int r = domain_xml_drift(xml, size, xml, size, &none),
            q = domain_xml_drift(xml, size, other, strlen(other), &some);

        if (r != q || (r == -EBADMSG) != (expected == -EBADMSG) || (r >= 0 && !isempty(none)))
                abort();
}

static void check_inspection(const char *xml, size_t size, int expected) {
        const DomainFacts facts = { .running = size % 2 == 0, .other_machine = "kvm2" };
        _cleanup_json_ json_t *found = NULL;
        _cleanup_free_ char *concerns = NULL;
        int r = domain_xml_inspect(xml, size, &facts, &found),
            q = domain_xml_concerns(xml, size, &facts, &concerns);

        if (r != q || (r == -EBADMSG) != (expected == -EBADMSG) || (r >= 0) != (found && concerns))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(domain_summary_done) DomainSummary summary = {};
        _cleanup_json_ json_t *hardware = NULL;
        int r = domain_xml_hardware((const char *) data, size, &hardware),
            q = domain_xml_summary((const char *) data, size, &summary);

        check_devices((const char *) data, size, r);
        check_drift((const char *) data, size, r);
        check_inspection((const char *) data, size, r);
        /* Both take the same descriptions, and what they give is JSON. */
        if ((r == -EBADMSG) != (q == -EBADMSG) || (r >= 0) != (hardware != NULL))
                abort();
        if (r >= 0) {
                _cleanup_free_ char *text = json_dumps(hardware, JSON_COMPACT);
                _cleanup_json_ json_t *again = text ? json_loads(text, 0, NULL) : NULL;

                if (!again || !json_equal(again, hardware) || !summary.description ||
                                !utf8_is_valid(summary.description))
                        abort();
        }
        return 0;
}
