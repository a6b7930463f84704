/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "notify/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

static const char prefix[] = "sha256=";

char *signature_make(const char *secret, const char *body) {
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned n = 0;

        if (!HMAC(EVP_sha256(), secret, (int) strlen(secret), (const unsigned char *) body, strlen(body),
                            digest, &n))
                return NULL;
        char *text = malloc(sizeof(prefix) + 2 * (size_t) n);
        if (!text)
                return NULL;
        char *p = stpcpy(text, prefix);
        for (unsigned i = 0; i < n; i++)
                p += sprintf(p, "%02x", digest[i]);
        return text;
}
