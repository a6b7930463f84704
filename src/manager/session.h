/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sessions of the v1 API in the manager. hyper-auth begins and refreshes them, after it has asked PAM; users
 * of the bus may list and end them. hyper-apid reads them from the database. */

#include "manager/manager.h"
#include "shared/session-token.h"
#include "store/sessions.h"

#define SESSIONS_MAX_OF_USER 32u
/* How long a token is valid after another one has replaced it: for requests that are under way. */
#define SESSION_REPLACED_TIME (30 * USEC_PER_SEC)

/* Who logs in, as hyper-auth has found out. */
typedef struct SessionUser {
        const char *username;
        uid_t uid;
        const char *role, *address;
} SessionUser;

/* These: 0, or negative errno with @error set. The caller wipes the token. */
int manager_start_session(Manager *m, const SessionUser *user, SessionToken *ret, usec_t *ret_expires,
                sd_bus_error *error);
/* The session that can be refreshed with this token; NoSuchSession otherwise. */
int manager_find_session(Manager *m, const char *token, SessionRow **ret, sd_bus_error *error);
int manager_refresh_session(Manager *m, const char *token, const SessionUser *user, SessionToken *ret,
                usec_t *ret_expires, sd_bus_error *error);
int manager_end_session(Manager *m, const char *id, sd_bus_error *error);
