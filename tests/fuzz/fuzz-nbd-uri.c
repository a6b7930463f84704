/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/string-util.h"
#include "fuzz.h"
#include "spec/job-spec.h"
#include "spec/nbd-uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size), *error = NULL;
        const char *reason;
        NbdUri u = {};

        if (!text)
                return 0;
        if (nbd_uri_parse(text, &u, &error) < 0) {
                if (!startswith(error, "must "))
                        abort();
                return 0;
        }
        if (!u.export_name || !u.socket == !u.host || (u.user && strchr(u.user, ':')) ||
                        (u.socket && !job_path_is_valid(u.socket, false, &reason)) ||
                        (u.host && (u.port < 1 || u.port > UINT16_MAX)))
                abort();
        nbd_uri_done(&u);
        return 0;
}
