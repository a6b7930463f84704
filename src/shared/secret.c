/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <nettle/base64.h>
#include <sys/random.h>

#include "shared/secret.h"

#define BASE64URL_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

int secret_make(char ret[static SECRET_LENGTH + 1]) {
        char digits[BASE64_ENCODE_LENGTH(32) + BASE64_ENCODE_FINAL_LENGTH];
        struct base64_encode_ctx encoder;
        uint8_t random[32];
        size_t n;

        /* Up to 256 bytes come whole or not at all (getrandom(2)). */
        if (getrandom(random, sizeof(random), 0) != sizeof(random))
                return errno > 0 ? -errno : -EIO;

        base64url_encode_init(&encoder);
        n = base64_encode_update(&encoder, digits, sizeof(random), random);
        n += base64_encode_final(&encoder, digits + n);
        assert(n > SECRET_LENGTH); /* with a "=" behind it */
        memcpy(ret, digits, SECRET_LENGTH);
        ret[SECRET_LENGTH] = '\0';

        explicit_bzero(random, sizeof(random));
        explicit_bzero(&encoder, sizeof(encoder));
        explicit_bzero(digits, sizeof(digits));
        return 0;
}

bool secret_is_valid(const char *text) {
        return strspn(text, BASE64URL_DIGITS) == SECRET_LENGTH && !text[SECRET_LENGTH];
}
