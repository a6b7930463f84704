/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/vm-value.h"

#include <stdio.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "basic/utf8.h"

#define MAC_BYTES 6u
#define UUID_BYTES 16u

static bool is_word_char(char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool vm_is_word(const char *s) {
        for (const char *p = s; *p; p++)
                if (!is_word_char(*p))
                        return false;
        return *s;
}

char *vm_text(const char *s, size_t max) {
        char *text = utf8_make_valid(s, strlen(s), max);

        return text ? utf8_replace_control(text, ' ') : NULL;
}

int vm_word(const char *s, char **ret) {
        _cleanup_free_ char *word = new0(char, VM_WORD_MAX + 1);
        size_t n = 0;

        if (!word)
                return -ENOMEM;
        for (const char *p = s; *p && n < VM_WORD_MAX; p++) {
                char c = *p >= 'A' && *p <= 'Z' ? (char) (*p - 'A' + 'a') : *p;
                if (is_word_char(c))
                        word[n++] = c;
        }
        *ret = n > 0 ? TAKE_PTR(word) : NULL;
        return 0;
}

/* Pairs of hexadecimal digits, with separators from @between or none in between. */
static int parse_bytes(const char *s, const char *between, unsigned char *ret, size_t n) {
        for (size_t i = 0; i < n; i++) {
                if (i > 0 && *s && strchr(between, *s))
                        s++;
                int high = parse_hex_digit(s[0]), low = high >= 0 ? parse_hex_digit(s[1]) : -EINVAL;
                if (low < 0)
                        return -EINVAL;
                ret[i] = (unsigned char) (high << 4 | low);
                s += 2;
        }
        return *s ? -EINVAL : 0;
}

static bool all_are(const unsigned char *bytes, size_t n, unsigned char value) {
        for (size_t i = 0; i < n; i++)
                if (bytes[i] != value)
                        return false;
        return true;
}

int vm_mac_normalize(const char *s, char ret[static VM_MAC_SIZE]) {
        unsigned char b[MAC_BYTES];

        /* The lowest bit of the first byte marks a group. */
        if (parse_bytes(s, ":-", b, MAC_BYTES) < 0 || (b[0] & 1) || all_are(b, MAC_BYTES, 0))
                return -EINVAL;
        (void) snprintf(ret, VM_MAC_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4],
                        b[5]);
        return 0;
}

int vm_uuid_normalize(const char *s, char ret[static VM_UUID_SIZE]) {
        unsigned char b[UUID_BYTES];
        char inner[3 * UUID_BYTES];
        size_t n = strlen(s);

        if (n > 2 && s[0] == '{' && s[n - 1] == '}') {
                s++;
                n -= 2;
        }
        if (n >= sizeof(inner))
                return -EINVAL;
        memcpy(inner, s, n);
        inner[n] = 0;
        if (parse_bytes(inner, "- ", b, UUID_BYTES) < 0 || all_are(b, UUID_BYTES, 0) ||
                        all_are(b, UUID_BYTES, 0xff))
                return -EINVAL;
        (void) snprintf(ret, VM_UUID_SIZE,
                        "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
                        b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
                        b[15]);
        return 0;
}
