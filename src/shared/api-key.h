/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Keys for the HTTP API: what they look like, what they are hashed to, and what they allow. A key is
 * "hyper_<id>_<secret>": the id, which is no secret, says which key it is, the secret is 256 random bits.
 * Only a hash of the whole is ever stored. */

#include "basic/macro.h"
#include "shared/secret.h"

/* What a caller must be allowed to do. */
typedef enum Scope {
        SCOPE_PUBLIC, /* nothing: open to everybody. No key has it. */
        SCOPE_READ, /* look; the role viewer. Whoever may do anything may look. */
        SCOPE_SUBMIT, /* submit and cancel jobs, use VMs and schedules; the role operator */
        SCOPE_WORK, /* be a worker: take jobs and report them */
        SCOPE_ADMIN, /* add hosts and webhooks, use any path; the role admin. It includes all others. */
        _SCOPE_MAX,
        _SCOPE_INVALID = -EINVAL,
} Scope;

/* "read", "submit", "work", "admin"; NULL for anything else. */
const char *scope_to_string(Scope s) _pure_;
Scope scope_from_string(const char *s) _pure_;

/* Sets of scopes: bits of 1u << Scope. */
bool scopes_allow(uint32_t scopes, Scope needed) _pure_;
/* "submit,work"; NULL when out of memory, the caller frees it. */
char *scopes_to_text(uint32_t scopes);
/* 0 with *ret, which is never empty; -EINVAL for an unknown word or none. */
int scopes_from_text(const char *text, uint32_t *ret);

/* What a person calls a key: 1 to 64 letters, digits, or . _ - and a letter or digit first. */
#define API_KEY_NAME_MAX 64u
bool api_key_name_is_valid(const char *name) _pure_;

/* The header that a key comes in. */
#define API_KEY_HEADER "X-API-Key"

#define API_KEY_ID_LENGTH 8 /* hexadecimal digits */
#define API_KEY_LENGTH (6 + API_KEY_ID_LENGTH + 1 + SECRET_LENGTH)
#define API_KEY_HASH_SIZE 32

typedef struct ApiKeyId {
        char text[API_KEY_ID_LENGTH + 1];
} ApiKeyId;

/* A key as it is handed out; the caller wipes it (explicit_bzero(3)). */
typedef struct ApiKey {
        ApiKeyId id;
        char text[API_KEY_LENGTH + 1];
} ApiKey;

typedef struct ApiKeyHash {
        uint8_t bytes[API_KEY_HASH_SIZE];
} ApiKeyHash;

/* Makes one from getrandom(2). 0 or negative errno. */
int api_key_make(ApiKey *ret);

/* Whether text from outside has the form of a key, and its id. 0 or -EINVAL. */
int api_key_parse(const char *text, ApiKeyId *ret);
bool api_key_id_is_valid(const char *id) _pure_;

/* SHA-256 (FIPS 180-4) of @size bytes. A slow hash, as for passwords, would be no better here: it is there
 * to make guessing dear, and 256 random bits are not guessed (NIST SP 800-63B, 5.1.1.2 and 5.1.4.2, asks for
 * salt and stretching of secrets under 112 bits only). */
void api_key_hash(const void *data, size_t size, ApiKeyHash *ret);

/* Takes the same time wherever they differ. */
bool api_key_hash_equal(const ApiKeyHash *a, const ApiKeyHash *b);
