/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The OVF descriptor and the manifest of an OVA. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "image/manifest.h"
#include "image/ova-name.h"
#include "image/ovf.h"
#include "spec/vm-json.h"

/* Whatever an OVF says, the document of its machine is valid. */
static void check_hardware(const OvfDescriptor *d) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *document = d->vm ? vm_hardware_to_json(d->vm) : NULL;
        _cleanup_vm_ VmHardware *vm = NULL;

        if (d->vm && (!document || vm_hardware_from_json(document, "", &vm, &errors) < 0))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *why = NULL, *why_not = NULL;
        _cleanup_manifest_ Manifest manifest = {};
        _cleanup_ovf_ OvfDescriptor ovf = {};

        int r = ovf_parse((const char *) data, size, &ovf, &why);
        if ((r == -EBADMSG) != (why != NULL))
                abort();
        check_hardware(&ovf);
        for (size_t i = 0; i < ovf.n_disks; i++)
                if (ovf.disks[i].file) {
                        _cleanup_free_ char *decoded = ovf_decode_href(ovf.disks[i].file);
                        if (decoded && strlen(decoded) > strlen(ovf.disks[i].file))
                                abort();
                }
        r = manifest_parse((const char *) data, size, &manifest, &why_not);
        if ((r == -EBADMSG) != (why_not != NULL))
                abort();
        return 0;
}
