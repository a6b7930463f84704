/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "api/access/access.h"
#include "basic/string-util.h"
#include "shared/session-token.h"
#include "store/facts.h"

#define TABLE_SIZE 1024u /* clients that are short of tokens at once */
#define STRANGERS_MAX 16384u

struct Access {
        unsigned rate_limit, rate_burst; /* of the configuration; 0: not given */
        bool known; /* @keys is what is in the database */
        int64_t version; /* of the database; negative: there was none */
        ApiKeyRows keys;
        AccessLimits strict;
        RateTable *by_key, *by_address, *failures;
        RateTable *identities, *strangers; /* of dialects that are "limited" */
};

int access_new(unsigned rate_limit, unsigned rate_burst, Access **ret) {
        _cleanup_(access_freep) Access *a = new0(Access, 1);
        int r;

        if (!a)
                return -ENOMEM;
        a->rate_limit = rate_limit;
        a->rate_burst = rate_burst;
        r = rate_table_new(TABLE_SIZE, &a->by_key);
        if (r >= 0)
                r = rate_table_new(TABLE_SIZE, &a->by_address);
        if (r >= 0)
                r = rate_table_new(TABLE_SIZE, &a->failures);
        if (r >= 0)
                r = rate_table_new(TABLE_SIZE, &a->identities);
        if (r >= 0)
                r = rate_table_new(STRANGERS_MAX, &a->strangers);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(a);
        return 0;
}

void access_set_limits(Access *a, unsigned rate_limit, unsigned rate_burst) {
        a->rate_limit = rate_limit;
        a->rate_burst = rate_burst;
}

Access *access_free(Access *a) {
        if (!a)
                return NULL;
        api_key_rows_done(&a->keys);
        rate_table_free(a->by_key);
        rate_table_free(a->by_address);
        rate_table_free(a->failures);
        rate_table_free(a->identities);
        rate_table_free(a->strangers);
        free(a);
        return NULL;
}

/* --- keys ------------------------------------------------------------------------------------------ */

int access_update(Access *a, Store *store) {
        int64_t version = -1;
        int r = store ? store_version(store, &version) : 0;

        if (r >= 0 && a->known && a->version == version)
                return 0;
        a->known = false;
        api_key_rows_done(&a->keys);
        if (r >= 0 && store)
                r = store_api_keys_list(store, &a->keys);
        if (r < 0)
                return r;
        a->known = true;
        a->version = version;
        return 0;
}

void access_forget(Access *a) {
        a->known = false;
}

bool access_has_keys(const Access *a) {
        return a->keys.n > 0;
}

const ApiKeyRow *access_find_key(const Access *a, const ApiKeyId *id) {
        for (size_t i = 0; i < a->keys.n; i++)
                if (streq(a->keys.rows[i].id.text, id->text))
                        return &a->keys.rows[i];
        return NULL;
}

bool access_key_has_expired(const ApiKeyRow *key) {
        return key->expires_at > 0 && key->expires_at <= now_realtime();
}

bool access_is_valid(const Access *a, const ApiKeyId *id) {
        const ApiKeyRow *key = access_find_key(a, id);

        return key && !access_key_has_expired(key);
}

/* --- rates ----------------------------------------------------------------------------------------- */

static const RateLimit failures_limit = { ACCESS_FAILURES_PER_MINUTE, ACCESS_FAILURES_BURST };

static RateLimit make_limit(const Access *a, unsigned per_minute) {
        unsigned burst = a->rate_burst > 0 ? a->rate_burst
                                           : (unsigned) ((uint64_t) per_minute * ACCESS_RATE_SECONDS / 60);

        return (RateLimit){ .per_minute = per_minute, .burst = MAX(burst, 1u) };
}

RateVerdict access_take_key(Access *a, const ApiKeyRow *key) {
        const RateLimit limit = make_limit(a,
                        key->rate_limit > 0                 ? key->rate_limit
                                        : a->rate_limit > 0 ? a->rate_limit
                                                            : ACCESS_RATE_LIMIT);

        return rate_table_take(a->by_key, &key->id, sizeof(key->id), &limit, now_monotonic());
}

/* What a user is called among the names of a table, in which keys are called by their IDs. */
static size_t name_user(const char *username, char ret[static SESSION_USER_MAX + 2]) {
        ret[0] = '@';
        strncpy(ret + 1, username, SESSION_USER_MAX);
        return 1 + strnlen(username, SESSION_USER_MAX);
}

RateVerdict access_take_user(Access *a, const char *username) {
        const RateLimit limit = make_limit(a, a->rate_limit > 0 ? a->rate_limit : ACCESS_RATE_LIMIT);
        char name[SESSION_USER_MAX + 2];
        size_t n = name_user(username, name);

        return rate_table_take(a->by_key, name, n, &limit, now_monotonic());
}

void access_set_strict_limits(Access *a, const AccessLimits *limits) {
        a->strict = *limits;
}

RateVerdict access_take_identity(Access *a, const ApiKeyRow *key, const char *username) {
        RateLimit limit = { .per_minute = a->strict.identity > 0 ? a->strict.identity
                                                                 : ACCESS_STRICT_IDENTITY_LIMIT,
                .burst = ACCESS_STRICT_IDENTITY_BURST };
        char name[SESSION_USER_MAX + 2];

        if (!key)
                return rate_table_take(
                                a->identities, name, name_user(username, name), &limit, now_monotonic());
        if (key->rate_limit > 0)
                limit = make_limit(a, key->rate_limit);
        return rate_table_take(a->identities, &key->id, sizeof(key->id), &limit, now_monotonic());
}

RateVerdict access_take_stranger(Access *a, const uint8_t address[static 16]) {
        unsigned n = a->strict.address > 0 ? a->strict.address : ACCESS_STRICT_ADDRESS_LIMIT;
        const RateLimit limit = { .per_minute = n, .burst = n };

        return rate_table_take(a->strangers, address, 16, &limit, now_monotonic());
}

bool access_limits_addresses(const Access *a) {
        return a->rate_limit > 0;
}

RateVerdict access_take_address(Access *a, const uint8_t address[static 16]) {
        const RateLimit limit = make_limit(a, a->rate_limit);

        return rate_table_take(a->by_address, address, 16, &limit, now_monotonic());
}

RateVerdict access_take_failure(Access *a, const void *who, size_t size) {
        return rate_table_take(a->failures, who, size, &failures_limit, now_monotonic());
}

RateVerdict access_look_failures(Access *a, const void *who, size_t size) {
        return rate_table_look(a->failures, who, size, &failures_limit, now_monotonic());
}
