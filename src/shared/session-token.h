/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The token of a session of the v1 API: "hyps_" and a secret. Only its hash is ever stored (api_key_hash()
 * in shared/api-key.h). */

#include "shared/secret.h"

#define SESSION_TOKEN_PREFIX "hyps_"
#define SESSION_TOKEN_LENGTH (5 + SECRET_LENGTH)

/* The ID of a session, which is no secret: hexadecimal digits. */
#define SESSION_ID_LENGTH 12

/* What is typed or sent for a user name: 1 to 64 of A-Z a-z 0-9 . _ @ -. */
#define SESSION_USER_MAX 64u
/* Bytes. */
#define SESSION_PASSWORD_MAX 1024u
/* An address as text: inet_ntop(3), or "" if it is not known. */
#define SESSION_ADDRESS_MAX 64u

typedef struct SessionToken {
        char text[SESSION_TOKEN_LENGTH + 1];
} SessionToken;

/* The caller wipes it (explicit_bzero(3)). 0 or negative errno. */
int session_token_make(SessionToken *ret);
/* Whether text from outside has the form of a token. */
bool session_token_is_valid(const char *text) _pure_;
/* Whether it is meant as one: it has the prefix. */
bool session_token_is_meant(const char *text) _pure_;

int session_id_make(char ret[static SESSION_ID_LENGTH + 1]);
bool session_id_is_valid(const char *id) _pure_;

bool session_user_is_valid(const char *name) _pure_;
bool session_address_is_valid(const char *address) _pure_;
