/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What hyper-apid asks hyper-auth, and what that answers: one JSON object each, on one line, over a socket
 * that systemd listens on. Both are decoded as if they came from outside. */

#include "basic/time-util.h"
#include "shared/role.h"
#include "json/json-table.h"

#define AUTH_SOCKET "/run/hyper/auth.sock"
#define AUTH_MESSAGE_MAX ((size_t) 16 * 1024)
/* How long one may take; the unit of hyper-auth has the same limit. */
#define AUTH_TIMEOUT (30 * USEC_PER_SEC)

typedef struct AuthRequest {
        char *username, *password; /* to log in */
        char *token; /* to refresh a session; either, not both */
        char *address; /* of the client, for the log and for PAM; "": not known */
} AuthRequest;

/* Wipes what is secret. */
void auth_request_done(AuthRequest *q);

/* A line; wipe and free it. NULL when out of memory. */
char *auth_request_encode(const AuthRequest *q);
/* 0; -EBADMSG for anything but a request with names and lengths that are allowed; -ENOMEM. */
int auth_request_decode(const char *text, size_t size, AuthRequest *ret);

typedef enum AuthResult {
        AUTH_OK,
        AUTH_WRONG, /* the name or the password */
        AUTH_ENDED, /* the session cannot be refreshed any more */
        AUTH_DENIED, /* the password is right, but the account may not log in: @message says why */
        AUTH_FAILED, /* it is not known: @message says why */
        _AUTH_RESULT_MAX,
        _AUTH_RESULT_INVALID = -EINVAL,
} AuthResult;

const char *auth_result_to_string(AuthResult r) _pure_;
AuthResult auth_result_from_string(const char *s) _pure_;

typedef struct AuthAnswer {
        int result; /* an AuthResult */
        char *message; /* for people; NULL with AUTH_OK, AUTH_WRONG and AUTH_ENDED */
        /* With AUTH_OK only: */
        char *username, *token;
        int role; /* a Role */
        uint64_t expires_at; /* realtime */
} AuthAnswer;

void auth_answer_done(AuthAnswer *a);
char *auth_answer_encode(const AuthAnswer *a);
int auth_answer_decode(const char *text, size_t size, AuthAnswer *ret);

/* For texts with a secret in them; @s may be NULL. Returns NULL. */
char *wipe_and_free(char *s);
void json_wipe(json_t *object, const char *key); /* the string that is there, in place */
