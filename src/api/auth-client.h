/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Asks hyper-auth, without waiting: a connection to its socket for each question, for which systemd starts a
 * process. */

#include <systemd/sd-event.h>

#include "shared/auth-message.h"

/* So many processes at once, as hyper-auth.socket allows; and so many questions that wait for one. */
#define AUTH_CALLS_MAX 8u
#define AUTH_WAITING_MAX 64u

typedef struct AuthClient AuthClient;
typedef struct AuthCall AuthCall;

/* @socket: a path. It is connected to when something is asked. */
int auth_client_new(sd_event *event, const char *socket, AuthClient **ret);
/* Calls that are out get no answer. */
AuthClient *auth_client_free(AuthClient *c);
DEFINE_CLEANUP_FUNC(AuthClient *, auth_client_free);

/* Called once, and not if the call was dropped. @answer NULL: there is none, in AUTH_TIMEOUT. */
typedef void (*auth_answer_func)(const AuthAnswer *answer, void *userdata);

/* 0 with *ret, which is valid until @func is called or the call is dropped; -EAGAIN: too many are waiting;
 * -ENOMEM or what sd-event fails with. */
int auth_client_call(
                AuthClient *c, const AuthRequest *q, auth_answer_func func, void *userdata, AuthCall **ret);
/* The answer is not needed any more. The process still takes its place until it ends. */
void auth_call_drop(AuthCall *call);
