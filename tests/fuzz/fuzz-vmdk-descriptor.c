/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/string-util.h"
#include "fuzz.h"
#include "image/vmdk-descriptor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *error = NULL;
        VmdkDescriptor d = {};

        if (vmdk_descriptor_parse((const char *) data, size, &d, &error) < 0) {
                if (isempty(error) || !utf8_is_valid(error))
                        abort();
                return 0;
        }
        if (!vmdk_is_descriptor((const char *) data, size))
                abort();
        uint64_t sectors = 0;
        for (size_t i = 0; i < d.n_extents; i++) {
                const VmdkExtent *x = &d.extents[i];
                sectors += x->sectors;
                if (x->sectors == 0 || (x->kind == VMDK_EXTENT_ZERO) != !x->name)
                        abort();
                if (x->name && vmdk_extent_name_is_plain(x->name) && strchr(x->name, '/'))
                        abort();
        }
        if (sectors != d.sectors)
                abort();
        vmdk_descriptor_done(&d);
        return 0;
}
