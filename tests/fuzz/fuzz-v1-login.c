/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The body of a login. */

#include "api/v1/v1-login.h"
#include "basic/string-util.h"
#include "fuzz.h"
#include "shared/session-token.h"
#include "json/json-parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_(v1_login_done) V1Login l = {};
        _cleanup_free_ char *why = NULL, *what = NULL;
        _cleanup_json_ json_t *body = NULL;
        int r;

        if (size > V1_AUTH_BODY_MAX || json_parse_object((const char *) data, size, &body, &why) < 0)
                return 0;
        r = v1_login_decode(body, &l, &errors);
        what = json_errors_text(&errors);
        if (!what || !utf8_is_valid(what) || (r == -EBADMSG) != (errors.n_errors > 0))
                abort();
        if (r < 0)
                return 0;
        if (!session_user_is_valid(l.username) || isempty(l.password) ||
                        strlen(l.password) > SESSION_PASSWORD_MAX)
                abort();
        /* It was overwritten in the body. */
        if (!streq(json_string_value(json_object_get(body, "password")), ""))
                abort();
        return 0;
}
