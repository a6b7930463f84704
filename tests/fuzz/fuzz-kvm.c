/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The decoders of what hyper-job, hyper-hostd and the manager tell each other about a domain, and the XML
 * that is made of it: an input is two documents with a newline between. */

#include <libxml/parser.h>

#include "basic/string-util.h"
#include "fuzz.h"
#include "hosts/hardware.h"
#include "spec/kvm-boot.h"
#include "spec/kvm-outcome.h"

static void check_xml(const char *xml) {
        xmlDoc *doc = xmlReadMemory(xml, (int) strlen(xml), NULL, NULL, XML_PARSE_NONET);

        if (!doc)
                abort();
        xmlFreeDoc(doc);
}

static void fuzz_xml(const KvmDomain *d, const KvmTarget *t) {
        _cleanup_strv_free_ char **warnings = NULL;
        _cleanup_free_ char *xml = NULL, *boot = NULL, *why = NULL;
        int r = kvm_domain_check(d, t, &why);

        if ((r < 0) != (why != NULL))
                abort();
        r = hardware_xml(d, t, &xml, &warnings);
        if (r == -EILSEQ)
                return;
        if (r < 0)
                abort();
        check_xml(xml);
        if (hardware_boot_xml(d, t, &boot) < 0)
                abort();
        check_xml(boot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *text = (const char *) data, *newline = size > 0 ? memchr(text, '\n', size) : NULL;
        size_t first = newline ? (size_t) (newline - text) : size;
        const char *second = newline ? newline + 1 : "";
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_kvm_domain_ KvmDomain *d = NULL;
        _cleanup_kvm_target_ KvmTarget *t = NULL;
        _cleanup_kvm_outcome_ KvmOutcome *o = NULL;
        _cleanup_kvm_boot_ KvmBoot *b = NULL;
        _cleanup_json_ json_t *again = NULL, *boot = NULL;

        if (kvm_boot_decode(text, size, &b) == 0 && !(boot = kvm_boot_to_json(b)))
                abort();
        if (kvm_outcome_decode(text, size, &o) == 0 && !(again = kvm_outcome_to_json(o)))
                abort();
        if (kvm_domain_decode(text, first, &d, &errors) == 0 &&
                        kvm_target_decode(second, newline ? size - first - 1 : 0, &t) == 0)
                fuzz_xml(d, t);
        return 0;
}
