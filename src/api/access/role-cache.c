/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/access/role-cache.h"

#include "basic/log.h"

/* Users at once; two that share a place are read more often. */
#define PLACES 256u

typedef struct Place {
        bool used;
        uid_t uid;
        Role role;
        usec_t read_at;
} Place;

struct RoleCache {
        role_func role_of;
        Place places[PLACES];
};

int role_cache_new(role_func role_of, RoleCache **ret) {
        RoleCache *c = new0(RoleCache, 1);

        if (!c)
                return -ENOMEM;
        c->role_of = role_of;
        *ret = c;
        return 0;
}

RoleCache *role_cache_free(RoleCache *c) {
        return mfree(c);
}

Role role_cache_get(RoleCache *c, uid_t uid, usec_t now) {
        Place *p = &c->places[uid % PLACES];
        Role role;
        int r;

        if (p->used && p->uid == uid && now < p->read_at + ROLE_CACHE_TIME)
                return p->role;
        r = c->role_of(uid, &role);
        if (r < 0) {
                log_warning_errno(r,
                                "Failed to read the groups of the user with the UID %u, who has no role "
                                "now: %m",
                                (unsigned) uid);
                role = ROLE_NONE;
        }
        *p = (Place){ .used = true, .uid = uid, .role = role, .read_at = now };
        return role;
}
