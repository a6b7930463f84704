/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The DiskDescriptor.xml of a Parallels disk. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "image/parallels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *why = NULL;

        int r = parallels_check_descriptor((const char *) data, size, "disk.hds", &why);
        if ((r == -EBADMSG) != (why != NULL))
                abort();
        return 0;
}
