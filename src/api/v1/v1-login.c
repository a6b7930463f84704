/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-login.h"
#include "shared/auth-message.h"
#include "shared/session-token.h"

static const JsonField v1_login_fields[] = {
        { "username", JSON_FIELD_STRING, offsetof(V1Login, username), JSON_REQUIRED | JSON_NONEMPTY, 0,
                        SESSION_USER_MAX },
        { "password", JSON_FIELD_STRING, offsetof(V1Login, password), JSON_REQUIRED | JSON_NONEMPTY, 0,
                        SESSION_PASSWORD_MAX },
        {},
};

void v1_login_done(V1Login *l) {
        if (l->password)
                explicit_bzero(l->password, strlen(l->password));
        json_table_done(v1_login_fields, l);
        *l = (V1Login){};
}

int v1_login_decode(json_t *object, V1Login *ret, JsonErrors *errors) {
        V1Login l = {};
        int r = json_table_decode(v1_login_fields, object, "", &l, errors);

        json_wipe(object, "password");
        if (r >= 0 && l.username && !session_user_is_valid(l.username))
                r = json_errors_add(errors, "username", "must be 1 to %u letters, digits, or . _ @ -",
                                SESSION_USER_MAX);
        if (r >= 0 && errors->n_errors > 0)
                r = -EBADMSG;
        if (r < 0) {
                v1_login_done(&l);
                return r;
        }
        *ret = l;
        return 0;
}
