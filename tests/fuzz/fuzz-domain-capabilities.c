/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/string-util.h"
#include "fuzz.h"
#include "hosts/domain-capabilities.h"
#include "spec/vm-value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        KvmTarget *t = new0(KvmTarget, 1);
        _cleanup_strv_free_ char **macs = NULL;
        char again[VM_MAC_SIZE];

        if (!t)
                return 0;
        if (domain_capabilities_read((const char *) data, size, t) == 0 && !vm_is_word(t->type))
                abort();
        (void) domain_macs_read((const char *) data, size, &macs);
        STRV_FOREACH(mac, macs)
                if (vm_mac_normalize(*mac, again) < 0 || !streq(*mac, again))
                        abort();
        kvm_target_free(t);
        return 0;
}
