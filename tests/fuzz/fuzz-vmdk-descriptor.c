/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/string-util.h"
#include "fuzz.h"
#include "shared/vmdk-descriptor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *error = NULL;
        VmdkDescriptor d = {};

        if (vmdk_descriptor_parse((const char *) data, size, &d, &error) < 0) {
                if (!startswith(error, "line "))
                        abort();
                return 0;
        }
        if (!vmdk_is_descriptor((const char *) data, size))
                abort();
        STRV_FOREACH(name, d.extents)
        if (vmdk_extent_name_is_plain(*name) && strchr(*name, '/'))
                abort();
        vmdk_descriptor_done(&d);
        return 0;
}
