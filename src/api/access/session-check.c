/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/access/session-check.h"
#include "api/api-state.h"
#include "api/http/request-state.h"
#include "api/http/request.h"

static int find(Request *r, const ApiKeyHash *hash, SessionRow **ret) {
        _cleanup_(session_row_freep) SessionRow *row = NULL;
        Store *store;
        int k = api_store(request_api(r), &store);

        if (k >= 0)
                k = store_session_find(store, hash, &row);
        if (k < 0)
                return k;
        if (!session_is_valid(row, now_realtime()))
                return -ENOENT;
        *ret = TAKE_PTR(row);
        return 0;
}

int session_check_find(Request *r, const char *token, SessionRow **ret) {
        ApiKeyHash hash;

        if (!session_token_is_valid(token))
                return -ENOENT;
        api_key_hash(token, SESSION_TOKEN_LENGTH, &hash);
        return find(r, &hash, ret);
}

Role session_check_role(Request *r, const SessionRow *session) {
        Role now = api_role_of(request_api(r), session->uid);

        return MIN(session->role, now);
}

bool session_check_again(Request *r) {
        _cleanup_(session_row_freep) SessionRow *row = NULL;

        return find(r, &r->session->hash, &row) >= 0;
}
