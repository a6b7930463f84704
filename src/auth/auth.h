/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One login, or one refresh of a session: PAM and the groups decide, and the manager makes the token. */

#include <systemd/sd-bus.h>

#include "auth/pam-check.h"

typedef struct Auth {
        const char *confdir; /* of PAM; NULL: the system's */
        int (*open_bus)(sd_bus **ret); /* when the user was found to be right */
        int (*role_of_login)(const char *name, uid_t *ret_uid, Role *ret);
} Auth;

/* Reads a request from @fd up to a newline or the end. 0; -EBADMSG; other errors of reading. */
int auth_read_request(int fd, AuthRequest *ret);

/* Decides on @q. Whatever goes wrong is an answer, too. 0 or -ENOMEM. */
int auth_decide(const Auth *a, const AuthRequest *q, AuthAnswer *ret);

int auth_write_answer(int fd, const AuthAnswer *answer);
