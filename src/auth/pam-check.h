/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Asks PAM (pam(3)). Everything here blocks, for as long as the modules like: the unit of hyper-auth has a
 * time limit. */

#include "shared/auth-message.h"

#define AUTH_PAM_SERVICE "hyper"

/* Where the service file is looked for; NULL: where the system has them (pam_start_confdir(3)). For tests. */
typedef struct PamCheck {
        const char *confdir;
        const char *username, *address;
} PamCheck;

/* Whether the password is right and the account may be used, and the name that the modules know the user by.
 * AUTH_OK with *ret_username (caller frees), or another result, with the reason in *ret_message for
 * AUTH_DENIED and AUTH_FAILED. -ENOMEM is the only error. */
int pam_check_password(const PamCheck *c, const char *password, char **ret_username, char **ret_message);

/* Whether the account may still be used. AUTH_ENDED: there is no such account any more. */
int pam_check_account(const PamCheck *c, char **ret_message);
