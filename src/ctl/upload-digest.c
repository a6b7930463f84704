/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/upload-digest.h"

void upload_digest_text(struct sha256_ctx *context, char ret[static UPLOAD_DIGEST_SIZE]) {
        static const char digits[] = "0123456789abcdef";
        uint8_t digest[SHA256_DIGEST_SIZE];

        sha256_digest(context, sizeof(digest), digest);
        for (size_t i = 0; i < sizeof(digest); i++) {
                ret[2 * i] = digits[digest[i] >> 4];
                ret[2 * i + 1] = digits[digest[i] & 15];
        }
        ret[2 * sizeof(digest)] = '\0';
}
