/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What hyper-apid asks hyper-auth, and what that answers; and tokens as they come in a header. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "shared/auth-message.h"
#include "shared/session-token.h"

static void try_request(const char *data, size_t size) {
        _cleanup_(auth_request_done) AuthRequest q = {}, again = {};
        _cleanup_free_ char *line = NULL;

        if (auth_request_decode(data, size, &q) < 0)
                return;
        line = auth_request_encode(&q);
        if (!line)
                return;
        if (auth_request_decode(line, strlen(line), &again) < 0 || !streq_ptr(q.username, again.username) ||
                        !streq_ptr(q.password, again.password) || !streq_ptr(q.token, again.token) ||
                        !streq(q.address, again.address))
                abort();
        if (strchr(line, '\n') != line + strlen(line) - 1)
                abort();
        if (!q.token && !session_user_is_valid(q.username))
                abort();
}

static void try_answer(const char *data, size_t size) {
        _cleanup_(auth_answer_done) AuthAnswer a = {}, again = {};
        _cleanup_free_ char *line = NULL;

        if (auth_answer_decode(data, size, &a) < 0)
                return;
        if (a.result == AUTH_OK ? !session_token_is_valid(a.token) : a.result == AUTH_DENIED && !a.message)
                abort();
        line = auth_answer_encode(&a);
        if (line && (auth_answer_decode(line, strlen(line), &again) < 0 || again.result != a.result))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);

        if (!text)
                return 0;
        try_request((const char *) data, size);
        try_answer((const char *) data, size);
        if (session_token_is_valid(text) && strlen(text) != SESSION_TOKEN_LENGTH)
                abort();
        if (session_user_is_valid(text) && (strlen(text) > SESSION_USER_MAX || strpbrk(text, " /\n\"\\")))
                abort();
        if (session_address_is_valid(text) && strpbrk(text, " /\n\"\\"))
                abort();
        return 0;
}
