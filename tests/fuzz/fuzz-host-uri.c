/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The URI of a host. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "hosts/host-uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *uri = strndup((const char *) data, size);
        const char *why = NULL;

        if (!uri)
                return 0;
        if ((host_uri_check(uri, &why) < 0) != (why != NULL))
                abort();
        if (!why) {
                _cleanup_free_ char *shown = host_uri_redact(uri), *full = host_uri_complete(uri, "/key");
                _cleanup_free_ char *id = host_uri_make_id(uri);
                const char *path = strchr(strstr(uri, "://") + 3, '/');

                /* What is taken has no user when it is shown, and stays what it is when it is completed. */
                const char *at = shown ? memchr(shown, '@', strlen(shown) - strlen(path)) : NULL;
                if (!shown || !full || !id || (at && (at - shown < 3 || memcmp(at - 3, "***", 3) != 0)) ||
                                !startswith(full, uri) || !host_id_is_valid(id))
                        abort();
        }
        return 0;
}
