/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The Authorization header of clients of the HyperSDK API. */

#include <stdlib.h>

#include "api/hypersdk/hypersdk-vms.h"
#include "basic/string-util.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *header = strndup((const char *) data, size), *text = NULL;

        if (!header || hypersdk_basic_decode(header, &text) < 0)
                return 0;
        if (!strchr(text, ':') || !utf8_is_valid(text))
                abort();
        return 0;
}
