/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/role.h"
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "basic/string-util.h"

#define BUFFER_MAX ((size_t) 1024 * 1024)
#define GROUPS_MAX 65536 /* as the kernel has it for a process */

static const char *const names[_ROLE_MAX] = {
        [ROLE_NONE] = "none",
        [ROLE_VIEWER] = "viewer",
        [ROLE_OPERATOR] = "operator",
        [ROLE_ADMIN] = "admin",
};

static const struct {
        const char *group;
        Role role;
} groups[] = {
        { ROLE_GROUP_ADMIN, ROLE_ADMIN },
        { ROLE_GROUP_OPERATOR, ROLE_OPERATOR },
        { ROLE_GROUP_VIEWER, ROLE_VIEWER },
};

const char *role_to_string(Role role) {
        return role >= 0 && role < _ROLE_MAX ? names[role] : NULL;
}

Role role_from_string(const char *s) {
        for (int i = 0; i < _ROLE_MAX; i++)
                if (streq_ptr(names[i], s))
                        return i;
        return _ROLE_INVALID;
}

/* Some errors of getpwuid_r(3) and its kin say that there is no such entry. */
static int is_missing(int error) {
        return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

/* The entry of @uid, or of @name if that is not NULL. 1 with *ret, whose strings are in *ret_buffer (the
 * caller's); 0 if there is none; or negative errno. */
static int find_user(uid_t uid, const char *name, struct passwd *ret, char **ret_buffer) {
        for (size_t size = 1024; size <= BUFFER_MAX; size *= 4) {
                _cleanup_free_ char *buffer = malloc(size);
                struct passwd *found = NULL;

                if (!buffer)
                        return -ENOMEM;
                int error = name ? getpwnam_r(name, ret, buffer, size, &found)
                                 : getpwuid_r(uid, ret, buffer, size, &found);
                if (found) {
                        *ret_buffer = TAKE_PTR(buffer);
                        return 1;
                }
                if (error != ERANGE)
                        return is_missing(error) ? 0 : -error;
        }
        return -ERANGE;
}

/* 1 with *ret, 0 if there is no such group, or negative errno. */
static int find_group(const char *name, gid_t *ret) {
        for (size_t size = 1024; size <= BUFFER_MAX; size *= 4) {
                _cleanup_free_ char *buffer = malloc(size);
                struct group group, *found = NULL;

                if (!buffer)
                        return -ENOMEM;
                int error = getgrnam_r(name, &group, buffer, size, &found);
                if (found) {
                        *ret = group.gr_gid;
                        return 1;
                }
                if (error != ERANGE)
                        return is_missing(error) ? 0 : -error;
        }
        return -ERANGE;
}

static int list_groups(const struct passwd *user, gid_t **ret, int *ret_n) {
        for (int size = 64; size <= GROUPS_MAX; size *= 4) {
                _cleanup_free_ gid_t *list = new0(gid_t, size);
                int n = size;

                if (!list)
                        return -ENOMEM;
                if (getgrouplist(user->pw_name, user->pw_gid, list, &n) >= 0) {
                        *ret = TAKE_PTR(list);
                        *ret_n = n;
                        return 0;
                }
        }
        return -E2BIG;
}

static int role_by_groups(const struct passwd *user, Role *ret) {
        _cleanup_free_ gid_t *list = NULL;
        int n = 0, r;

        r = list_groups(user, &list, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(groups); i++) {
                gid_t gid = 0;

                r = find_group(groups[i].group, &gid);
                if (r < 0)
                        return r;
                for (int k = 0; r > 0 && k < n; k++)
                        if (list[k] == gid) {
                                *ret = groups[i].role;
                                return 0;
                        }
        }
        *ret = ROLE_NONE;
        return 0;
}

int role_of_user(uid_t uid, Role *ret) {
        _cleanup_free_ char *buffer = NULL;
        struct passwd user;
        int r;

        if (uid == 0) {
                *ret = ROLE_ADMIN;
                return 0;
        }
        r = find_user(uid, NULL, &user, &buffer);
        if (r > 0)
                return role_by_groups(&user, ret);
        if (r == 0)
                *ret = ROLE_NONE;
        return r;
}

int role_of_login(const char *name, uid_t *ret_uid, Role *ret) {
        _cleanup_free_ char *buffer = NULL;
        struct passwd user;
        int r;

        r = find_user(0, name, &user, &buffer);
        if (r == 0)
                return -ENOENT;
        if (r > 0)
                r = role_by_groups(&user, ret);
        if (r >= 0)
                *ret_uid = user.pw_uid;
        return r;
}

bool user_is(uid_t uid, const char *name) {
        _cleanup_free_ char *buffer = NULL;
        struct passwd user;

        return find_user(0, name, &user, &buffer) > 0 && user.pw_uid == uid;
}
