/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a caller may do. The roles are ordered: each may do what those before it may. */

#include <errno.h>
#include <sys/types.h>

#include "basic/macro.h"

typedef enum Role {
        ROLE_NONE,
        ROLE_VIEWER, /* looks */
        ROLE_OPERATOR, /* submits jobs with the paths that the configuration allows */
        ROLE_ADMIN, /* submits jobs with all paths but the system's own; adds hosts, webhooks and keys */
        _ROLE_MAX,
        _ROLE_INVALID = -EINVAL,
} Role;

/* The groups whose members have a role. */
#define ROLE_GROUP_VIEWER "hyper-viewer"
#define ROLE_GROUP_OPERATOR "hyper-operator"
#define ROLE_GROUP_ADMIN "hyper-admin"

const char *role_to_string(Role role) _pure_; /* "none", "viewer", … or NULL */
Role role_from_string(const char *s) _pure_; /* _ROLE_INVALID for anything else, and NULL */

/* The role of a user of this machine: root is admin, others have the highest role that one of their groups
 * gives them, by the user database as it is now. 0 with *ret (ROLE_NONE if none of their groups gives one),
 * or negative errno: the user database could not be read. A user who is not in it has ROLE_NONE. */
int role_of_user(uid_t uid, Role *ret);

/* The same for a login name, and the UID of the user; root has the role of its groups, too. -ENOENT: there is
 * no such user. */
int role_of_login(const char *name, uid_t *ret_uid, Role *ret);

/* Whether @uid is the user @name; false if there is no such user. */
bool user_is(uid_t uid, const char *name);
