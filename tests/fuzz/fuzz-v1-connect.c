/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The body of POST /providers/connect. */

#include "api/v1/v1-connect.h"
#include "basic/string-util.h"
#include "fuzz.h"
#include "json/json-parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_(v1_connect_done) V1Connect c = {};
        _cleanup_free_ char *why = NULL, *what = NULL;
        _cleanup_json_ json_t *body = NULL;
        int r;

        if (size > V1_CONNECT_BODY_MAX || json_parse_object((const char *) data, size, &body, &why) < 0)
                return 0;
        r = v1_connect_decode(body, &c, &errors);
        what = json_errors_text(&errors);
        if (!what || !utf8_is_valid(what) || (r == -EBADMSG) != (errors.n_errors > 0))
                abort();
        /* It was overwritten in the body. */
        if (!isempty(json_string_value(json_object_get(body, "password"))))
                abort();
        if (r < 0)
                return 0;
        if (c.type == V1_PROVIDER_VSPHERE &&
                        (!startswith(c.endpoint, "https://") || !c.username || !c.password))
                abort();
        free(v1_fingerprint_in(c.endpoint));
        return 0;
}
