/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The roles of users. The user database is read again when what is known of a user is older than
 * ROLE_CACHE_TIME: a membership that was given or taken counts within that time. */

#include "basic/time-util.h"
#include "shared/role.h"

#define ROLE_CACHE_TIME (4 * USEC_PER_SEC)

typedef int (*role_func)(uid_t uid, Role *ret);

typedef struct RoleCache RoleCache;
int role_cache_new(role_func role_of, RoleCache **ret); /* normally role_of_user() */
RoleCache *role_cache_free(RoleCache *c);
DEFINE_CLEANUP_FUNC(RoleCache *, role_cache_free);

/* ROLE_NONE also when the user database cannot be read, which is logged. @now is monotonic. */
Role role_cache_get(RoleCache *c, uid_t uid, usec_t now);
