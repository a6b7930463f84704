/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who may ask for what, and how often: one model for all listeners and dialects.
 *
 * A request comes from an identity: an API key, or the user of a local connection (peer.h). The identity has
 * a role, and with it scopes: viewer may read, operator may submit and work besides, admin may do
 * everything. A key says itself what it allows, a user's role follows from the user's groups (role.h). Each
 * route names the scope it requires; public ones require none. What has no identity has no role.
 *
 * Whatever can be reached from other machines requires a key, as do all ports with api.require_key, and the
 * loopback interface where the dialect says so (KeyRule). Elsewhere the user's role
 * decides, unless the request comes with a key: then that does. With api.local "anybody" each user of this
 * machine is admin.
 *
 * Each key has a token bucket; without a key, an address has one if the configuration sets a limit. Wrong
 * keys are counted by address and by the id that they name, in a bucket of their own: once it is empty, a
 * key of that id is not even looked at, so that nobody can guess at speed; but a key with a right id is not
 * held up by others at the same address that come with wrong ones. */

#include "api/http/rate-limit.h"
#include "shared/api-key.h"
#include "store/api-keys.h"
#include "store/store.h"

/* A user can also log in and then come with the token of a session (store/sessions.h): that gives the role of
 * the user.
 *
 * A dialect that is "limited" counts each request: those with a valid key or session for this key or user,
 * all others, whatever they ask for, for their address. */
typedef struct Access Access;

/* Limits of dialects that are "limited", in requests a minute; 0: the defaults below. */
typedef struct AccessLimits {
        unsigned address, identity;
} AccessLimits;

/* 0: the defaults below. */
int access_new(unsigned rate_limit, unsigned rate_burst, Access **ret);
/* Other limits from now on; buckets that are in use keep what is in them. */
void access_set_limits(Access *a, unsigned rate_limit, unsigned rate_burst);
Access *access_free(Access *a);
DEFINE_CLEANUP_FUNC(Access *, access_free);

/* Reads the keys if the database has changed; @store NULL: there is no database yet. On failure nothing is
 * known, and nobody may be let in. 0 or negative errno. */
int access_update(Access *a, Store *store);

/* The database is another one now. */
void access_forget(Access *a);

/* Also one that has expired is a key. */
bool access_has_keys(const Access *a) _pure_;
/* Whether the key of this id may still be used. */
bool access_is_valid(const Access *a, const ApiKeyId *id);

/* The key of this id, or NULL. Valid until the next access_update(). */
const ApiKeyRow *access_find_key(const Access *a, const ApiKeyId *id) _pure_;
bool access_key_has_expired(const ApiKeyRow *key);

/* Take a token from the bucket of a key, of an address, or of someone who came with a wrong key; the last
 * one only looks. */
RateVerdict access_take_key(Access *a, const ApiKeyRow *key);
RateVerdict access_take_address(Access *a, const uint8_t address[static 16]);
RateVerdict access_take_failure(Access *a, const void *who, size_t size);
RateVerdict access_look_failures(Access *a, const void *who, size_t size);
/* The same where the dialect is "limited": for a key, or a user with a session. */
RateVerdict access_take_identity(Access *a, const ApiKeyRow *key, const char *username);
RateVerdict access_take_stranger(Access *a, const uint8_t address[static 16]);
void access_set_strict_limits(Access *a, const AccessLimits *limits);
/* A user with a session, elsewhere. */
RateVerdict access_take_user(Access *a, const char *username);
/* Whether an address without a key has a bucket. */
bool access_limits_addresses(const Access *a) _pure_;

#define ACCESS_RATE_LIMIT 6000u /* requests a minute with one key, if nobody says otherwise */
#define ACCESS_RATE_SECONDS 10u /* a full bucket lasts so long, likewise */
#define ACCESS_STRICT_ADDRESS_LIMIT 100u /* and as many at once */
#define ACCESS_STRICT_IDENTITY_LIMIT 6000u
#define ACCESS_STRICT_IDENTITY_BURST 1000u
/* Wrong keys. */
#define ACCESS_FAILURES_PER_MINUTE 10u
#define ACCESS_FAILURES_BURST 20u
