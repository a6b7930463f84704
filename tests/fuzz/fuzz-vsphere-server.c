/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Addresses, thumbprints and CAs of vSphere servers, from clients of the APIs. */

#include <stdlib.h>

#include "basic/string-util.h"
#include "fuzz.h"
#include "spec/vsphere-server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size), *url = NULL, *again = NULL;
        char thumbprint[VSPHERE_THUMBPRINT_SIZE], same[VSPHERE_THUMBPRINT_SIZE];
        const char *reason;

        if (!text)
                return 0;
        if (vsphere_url_normalize(text, &url, &reason) >= 0 &&
                        (vsphere_url_normalize(url, &again, &reason) < 0 || !streq(url, again)))
                abort();
        if (vsphere_thumbprint_normalize(text, thumbprint) >= 0 &&
                        (vsphere_thumbprint_normalize(thumbprint, same) < 0 || !streq(thumbprint, same)))
                abort();
        (void) vsphere_ca_is_valid(text);
        return 0;
}
