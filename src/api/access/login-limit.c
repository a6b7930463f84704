/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <stdio.h>

#include "api/access/login-limit.h"
#include "shared/session-token.h"

#define TABLE_SIZE 4096u

struct LoginLimit {
        RateTable *by_address, *by_name, *by_site;
        usec_t full_at;
};

static const RateLimit address_limit = { LOGIN_FAILURES_OF_ADDRESS_PER_MINUTE, LOGIN_FAILURES_OF_ADDRESS };
static const RateLimit name_limit = { LOGIN_FAILURES_OF_NAME_PER_MINUTE, LOGIN_FAILURES_OF_NAME };
/* Of the same bucket, which holds more for them. */
static const RateLimit newcomer_limit = { LOGIN_FAILURES_OF_NAME_PER_MINUTE,
        LOGIN_FAILURES_OF_NAME + LOGIN_FAILURES_OF_NAME_RESERVED };
static const RateLimit site_limit = {
        .per_minute = 1, .burst = LOGIN_TRIES_OF_NEWCOMER, .interval = LOGIN_NEWCOMER_TIME
};

int login_limit_new(LoginLimit **ret) {
        _cleanup_(login_limit_freep) LoginLimit *l = new0(LoginLimit, 1);
        int r;

        if (!l)
                return -ENOMEM;
        r = rate_table_new(TABLE_SIZE, &l->by_address);
        if (r >= 0)
                r = rate_table_new(TABLE_SIZE, &l->by_name);
        if (r >= 0)
                r = rate_table_new(TABLE_SIZE, &l->by_site);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

LoginLimit *login_limit_free(LoginLimit *l) {
        if (!l)
                return NULL;
        rate_table_free(l->by_address);
        rate_table_free(l->by_name);
        rate_table_free(l->by_site);
        return mfree(l);
}

/* User databases may ignore case. */
static size_t fold_name(const char *name, char ret[static SESSION_USER_MAX + 1]) {
        size_t n = 0;

        for (; name[n] && n < SESSION_USER_MAX; n++)
                ret[n] = (char) tolower((unsigned char) name[n]);
        return n;
}

/* One who has many IPv6 addresses usually has the first 48 bits of them. */
static size_t site_size(const LoginTry *t) {
        static const uint8_t mapped[12] = { [10] = 0xff, 0xff };

        return memcmp(t->address, mapped, sizeof(mapped)) == 0 ? sizeof(t->address) : 6;
}

/* Looked at before it is taken: a refusal must not change the bucket, which two limits share. */
static RateVerdict take_name(LoginLimit *l, const LoginTry *t, usec_t now) {
        char name[SESSION_USER_MAX + 1];
        size_t n = fold_name(t->username, name);
        bool is_newcomer = rate_table_take(l->by_site, t->address, site_size(t), &site_limit, now).allowed;
        const RateLimit *limit = is_newcomer ? &newcomer_limit : &name_limit;
        RateVerdict v = rate_table_look(l->by_name, name, n, limit, now);

        return v.allowed ? rate_table_take(l->by_name, name, n, limit, now) : v;
}

RateVerdict login_limit_take(LoginLimit *l, const LoginTry *t, usec_t now) {
        RateVerdict v = rate_table_look(l->by_address, t->address, sizeof(t->address), &address_limit, now);

        if (!v.allowed)
                return v;
        if (!t->is_known) {
                v = take_name(l, t, now);
                if (!v.allowed)
                        return v;
                l->full_at = MAX(l->full_at, now + v.full_in);
        }
        v = rate_table_take(l->by_address, t->address, sizeof(t->address), &address_limit, now);
        l->full_at = MAX(l->full_at, now + v.full_in);
        return v;
}

void login_limit_give(LoginLimit *l, const LoginTry *t, bool decided) {
        char name[SESSION_USER_MAX + 1];
        size_t n = fold_name(t->username, name);

        if (decided)
                rate_table_fill(l->by_address, t->address, sizeof(t->address));
        else
                rate_table_give(l->by_address, t->address, sizeof(t->address), &address_limit);
        if (t->is_known)
                return;
        rate_table_give(l->by_name, name, n, &name_limit);
        if (decided)
                rate_table_fill(l->by_site, t->address, site_size(t));
        else
                rate_table_give(l->by_site, t->address, site_size(t), &site_limit);
}

usec_t login_limit_full_at(const LoginLimit *l) {
        return l->full_at;
}
