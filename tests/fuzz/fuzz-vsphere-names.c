/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names and paths of an inventory, paths in datastores, thumbprints. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "http/tls-trust.h"
#include "vsphere/inventory-name.h"

static void check_names(const char *text) {
        _cleanup_free_ char *decoded = inventory_name_decode(text), *encoded = NULL, *again = NULL;

        encoded = decoded ? inventory_name_encode(decoded) : NULL;
        again = encoded ? inventory_name_decode(encoded) : NULL;
        if (!again || !streq(again, decoded) || strchr(encoded, '/'))
                abort();
}

/* What is normal does not change any more. */
static void check_path(const char *text) {
        _cleanup_free_ char *normal = inventory_path_normalize(text), *again = NULL;

        again = normal ? inventory_path_normalize(normal) : NULL;
        if (!again || !streq(again, normal) || strstr(normal, "//") || (*normal && *normal != '/'))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);
        _cleanup_tls_trust_ TlsTrust trust = {};

        if (!text)
                return 0;
        check_names(text);
        check_path(text);
        if (tls_trust_init(&trust, NULL, text) >= 0 && *text && trust.digest_size != 32 &&
                        trust.digest_size != 20)
                abort();
        return 0;
}
