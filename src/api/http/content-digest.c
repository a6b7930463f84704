/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/http/content-digest.h"

#include <nettle/base64.h>
#include <strings.h>

#include "basic/string-util.h"

#define BASE64_LENGTH 44u /* of 32 bytes */
#define NAME "sha-256=:"

static int decode_base64(const char *text, uint8_t ret[static SHA256_SIZE]) {
        struct base64_decode_ctx decoder;
        uint8_t bytes[BASE64_DECODE_LENGTH(BASE64_LENGTH)];
        size_t n = sizeof(bytes);

        if (strcspn(text, ":") != BASE64_LENGTH || text[BASE64_LENGTH] != ':')
                return -EINVAL;
        base64_decode_init(&decoder);
        if (!base64_decode_update(&decoder, &n, bytes, BASE64_LENGTH, text) ||
                        !base64_decode_final(&decoder) || n != SHA256_SIZE)
                return -EINVAL;
        memcpy(ret, bytes, SHA256_SIZE);
        return 0;
}

int content_digest_decode(const char *value, uint8_t ret[static SHA256_SIZE]) {
        for (const char *p = value; *p;) {
                p += strspn(p, " \t,");
                if (strncasecmp(p, NAME, strlen(NAME)) == 0) {
                        int r = decode_base64(p + strlen(NAME), ret);

                        return r < 0 ? r : 1;
                }
                p += strcspn(p, ",");
        }
        return 0;
}

static int digit(char c) {
        return c >= '0' && c <= '9'            ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -EINVAL;
}

int sha256_from_hex(const char *text, uint8_t ret[static SHA256_SIZE]) {
        uint8_t bytes[SHA256_SIZE];

        if (strlen(text) != (size_t) 2 * SHA256_SIZE)
                return -EINVAL;
        for (size_t i = 0; i < SHA256_SIZE; i++) {
                int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

                if (high < 0 || low < 0)
                        return -EINVAL;
                bytes[i] = (uint8_t) (high << 4 | low);
        }
        memcpy(ret, bytes, SHA256_SIZE);
        return 0;
}
