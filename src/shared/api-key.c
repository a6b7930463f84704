/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <sys/random.h>

#include "basic/string-util.h"
#include "shared/api-key.h"

#define PREFIX "hyper_"
#define HEX_DIGITS "0123456789abcdef"
#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static_assert(API_KEY_HASH_SIZE == SHA256_DIGEST_SIZE, "the hash is SHA-256");
static_assert(sizeof(PREFIX) - 1 + API_KEY_ID_LENGTH + 1 + SECRET_LENGTH == API_KEY_LENGTH,
                "the prefix is part of the length");

static const char *const scope_table[_SCOPE_MAX] = {
        [SCOPE_READ] = "read",
        [SCOPE_SUBMIT] = "submit",
        [SCOPE_WORK] = "work",
        [SCOPE_ADMIN] = "admin",
};

const char *scope_to_string(Scope s) {
        return s < 0 || s >= _SCOPE_MAX ? NULL : scope_table[s];
}

Scope scope_from_string(const char *s) {
        for (Scope scope = SCOPE_READ; scope < _SCOPE_MAX; scope++)
                if (streq(scope_table[scope], s))
                        return scope;
        return _SCOPE_INVALID;
}

bool scopes_allow(uint32_t scopes, Scope needed) {
        switch (needed) {
        case SCOPE_PUBLIC:
                return true;
        case SCOPE_READ:
                return scopes != 0;
        default:
                return scopes & (1u << needed | 1u << SCOPE_ADMIN);
        }
}

char *scopes_to_text(uint32_t scopes) {
        _cleanup_strv_free_ char **words = NULL;

        for (Scope s = SCOPE_READ; s < _SCOPE_MAX; s++)
                if (scopes & 1u << s && strv_extend(&words, scope_table[s]) < 0)
                        return NULL;
        return strv_join(words, ",");
}

int scopes_from_text(const char *text, uint32_t *ret) {
        _cleanup_free_ char *copy = strdup(text);
        uint32_t scopes = 0;
        char *rest = copy;

        if (!copy)
                return -ENOMEM;
        for (const char *word; (word = strsep(&rest, ","));) {
                Scope s = scope_from_string(word);

                if (s < 0)
                        return -EINVAL;
                scopes |= 1u << s;
        }
        *ret = scopes;
        return 0;
}

bool api_key_name_is_valid(const char *name) {
        size_t n = strlen(name);

        return n >= 1 && n <= API_KEY_NAME_MAX && strchr(LETTERS_AND_DIGITS, name[0]) &&
                        strspn(name, LETTERS_AND_DIGITS "._-") == n;
}

bool api_key_id_is_valid(const char *id) {
        return strlen(id) == API_KEY_ID_LENGTH && strspn(id, HEX_DIGITS) == API_KEY_ID_LENGTH;
}

int api_key_make(ApiKey *ret) {
        uint32_t id;
        char *p;

        if (getrandom(&id, sizeof(id), 0) != sizeof(id))
                return errno > 0 ? -errno : -EIO;
        (void) snprintf(ret->id.text, sizeof(ret->id.text), "%08x", id);
        p = stpcpy(stpcpy(stpcpy(ret->text, PREFIX), ret->id.text), "_");
        return secret_make(p);
}

int api_key_parse(const char *text, ApiKeyId *ret) {
        const char *id = startswith(text, PREFIX), *secret;

        if (!id || strspn(id, HEX_DIGITS) != API_KEY_ID_LENGTH || id[API_KEY_ID_LENGTH] != '_')
                return -EINVAL;
        secret = id + API_KEY_ID_LENGTH + 1;
        if (!secret_is_valid(secret))
                return -EINVAL;
        memcpy(ret->text, id, API_KEY_ID_LENGTH);
        ret->text[API_KEY_ID_LENGTH] = '\0';
        return 0;
}

void api_key_hash(const void *data, size_t size, ApiKeyHash *ret) {
        struct sha256_ctx context;

        sha256_init(&context);
        sha256_update(&context, size, data);
        sha256_digest(&context, sizeof(ret->bytes), ret->bytes);
        explicit_bzero(&context, sizeof(context));
}

bool api_key_hash_equal(const ApiKeyHash *a, const ApiKeyHash *b) {
        return memeql_sec(a->bytes, b->bytes, sizeof(a->bytes));
}
