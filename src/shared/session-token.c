/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <sys/random.h>

#include "basic/string-util.h"
#include "shared/session-token.h"

#define HEX_DIGITS "0123456789abcdef"
#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static_assert(sizeof(SESSION_TOKEN_PREFIX) - 1 + SECRET_LENGTH == SESSION_TOKEN_LENGTH,
                "the prefix is part of the length");

int session_token_make(SessionToken *ret) {
        char *p = stpcpy(ret->text, SESSION_TOKEN_PREFIX);

        return secret_make(p);
}

bool session_token_is_valid(const char *text) {
        const char *secret = startswith(text, SESSION_TOKEN_PREFIX);

        return secret && secret_is_valid(secret);
}

bool session_token_is_meant(const char *text) {
        return startswith(text, SESSION_TOKEN_PREFIX);
}

int session_id_make(char ret[static SESSION_ID_LENGTH + 1]) {
        uint8_t random[SESSION_ID_LENGTH / 2];

        if (getrandom(random, sizeof(random), 0) != sizeof(random))
                return errno > 0 ? -errno : -EIO;
        for (size_t i = 0; i < sizeof(random); i++)
                (void) snprintf(ret + 2 * i, 3, "%02x", random[i]);
        return 0;
}

bool session_id_is_valid(const char *id) {
        return strlen(id) == SESSION_ID_LENGTH && strspn(id, HEX_DIGITS) == SESSION_ID_LENGTH;
}

bool session_user_is_valid(const char *name) {
        size_t n = strlen(name);

        return n >= 1 && n <= SESSION_USER_MAX && strspn(name, LETTERS_AND_DIGITS "._@-") == n;
}

bool session_address_is_valid(const char *address) {
        size_t n = strlen(address);

        return n <= SESSION_ADDRESS_MAX && strspn(address, LETTERS_AND_DIGITS ".:%()") == n;
}
