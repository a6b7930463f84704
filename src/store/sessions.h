/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sessions of the v1 API: of their tokens, only the hash is there. The same rules and errors as in
 * store.h. */

#include <sys/types.h>

#include "shared/api-key.h"
#include "shared/session-token.h"
#include "store/store.h"

typedef struct SessionRow {
        char id[SESSION_ID_LENGTH + 1];
        ApiKeyHash hash; /* of the token */
        char *username;
        uid_t uid;
        Role role; /* of the user, when the session was begun or refreshed */
        char *address; /* of the client, likewise */
        usec_t login_at; /* when a password was given */
        usec_t created_at; /* when this token was given out */
        usec_t expires_at;
} SessionRow;

SessionRow *session_row_free(SessionRow *row);
DEFINE_CLEANUP_FUNC(SessionRow *, session_row_free);

typedef struct SessionRows {
        SessionRow *rows;
        size_t n;
} SessionRows;
void session_rows_done(SessionRows *rows);

/* A clock that was set back by more than this makes a token invalid: it would be valid for longer than it
 * was to be. */
#define SESSION_CLOCK_SLACK (5 * USEC_PER_MINUTE)

static inline bool session_is_valid(const SessionRow *row, usec_t now) {
        return now < row->expires_at && now + SESSION_CLOCK_SLACK >= row->created_at;
}

/* Inserts @row, removes those that have expired at row->created_at, and the oldest ones of this user beyond
 * @max. @replaced, the ID of the session that this one continues or NULL, then ends at @replaced_until at
 * the latest. */
int store_session_start(
                Store *s, const SessionRow *row, unsigned max, const char *replaced, usec_t replaced_until);

/* By the hash of the token, or by ID. -ENOENT. */
int store_session_find(Store *s, const ApiKeyHash *hash, SessionRow **ret);
int store_session_get(Store *s, const char *id, SessionRow **ret);
/* -ENOENT. */
int store_session_delete(Store *s, const char *id);
/* Oldest first; of @username only, unless that is NULL. */
int store_sessions_list(Store *s, const char *username, SessionRows *ret);
/* Whether the user has a session that is valid at @now and was begun at this address. 1, 0 or negative
 * errno. */
int store_session_is_known(Store *s, const char *username, const char *address, usec_t now);
