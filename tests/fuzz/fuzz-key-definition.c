/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A key as it is asked for over the bus. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "manager/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size), *what = NULL;
        _cleanup_(key_definition_done) KeyDefinition d = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        int r;

        if (!text)
                return 0;
        r = key_definition_decode(text, &d, &errors);
        what = json_errors_text(&errors);
        if (!what || !utf8_is_valid(what) || (r == -EBADMSG) != (errors.n_errors > 0))
                abort();
        if (r >= 0 &&
                        (!api_key_name_is_valid(d.name) || !scopes_allow(d.scopes, SCOPE_READ) ||
                                        d.rate_limit > API_KEY_RATE_MAX))
                abort();
        return 0;
}
