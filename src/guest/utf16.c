/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/utf16.h"

#include <stdint.h>

#include "basic/string-util.h"
#include "basic/utf8.h"

#define REPLACEMENT 0xFFFDu

static unsigned unit_at(const char *data, size_t i) {
        const unsigned char *p = (const unsigned char *) data + 2 * i;

        return p[0] | (unsigned) p[1] << 8;
}

/* The character at unit @i of @n, and the number of its units in *ret_used. */
static uint32_t character_at(const char *data, size_t i, size_t n, size_t *ret_used) {
        unsigned high = unit_at(data, i), low;

        *ret_used = 1;
        if (high < 0xD800 || high > 0xDFFF)
                return high;
        if (high > 0xDBFF || i + 1 >= n)
                return REPLACEMENT;
        low = unit_at(data, i + 1);
        if (low < 0xDC00 || low > 0xDFFF)
                return REPLACEMENT;
        *ret_used = 2;
        return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

static size_t encode(uint32_t c, char *ret) {
        if (c < 0x80) {
                ret[0] = (char) c;
                return 1;
        }
        if (c < 0x800) {
                ret[0] = (char) (0xC0 | c >> 6);
                ret[1] = (char) (0x80 | (c & 0x3F));
                return 2;
        }
        if (c < 0x10000) {
                ret[0] = (char) (0xE0 | c >> 12);
                ret[1] = (char) (0x80 | (c >> 6 & 0x3F));
                ret[2] = (char) (0x80 | (c & 0x3F));
                return 3;
        }
        ret[0] = (char) (0xF0 | c >> 18);
        ret[1] = (char) (0x80 | (c >> 12 & 0x3F));
        ret[2] = (char) (0x80 | (c >> 6 & 0x3F));
        ret[3] = (char) (0x80 | (c & 0x3F));
        return 4;
}

/* The number of units before the first NUL, or all. */
static size_t units_of(const char *data, size_t size) {
        size_t n = 0;

        while (2 * n + 1 < size && unit_at(data, n) != 0)
                n++;
        return n;
}

char *utf16_to_utf8(const char *data, size_t size, size_t max) {
        size_t n = units_of(data, size), length = 0, used;
        char *text = malloc(MIN(3 * n, max) + 1);

        if (!text)
                return NULL;
        for (size_t i = 0; i < n; i += used) {
                char character[4];
                size_t k = encode(character_at(data, i, n, &used), character);

                if (length + k > max)
                        break;
                memcpy(text + length, character, k);
                length += k;
        }
        text[length] = 0;
        return text;
}

int utf16_list(const char *data, size_t size, size_t max_items, size_t max, char ***ret) {
        _cleanup_strv_free_ char **list = NULL;

        for (size_t i = 0; i < max_items; i++) {
                size_t n = units_of(data, size);
                if (n == 0)
                        break;
                int r = strv_consume(&list, utf16_to_utf8(data, size, max));
                if (r < 0)
                        return r;
                size_t step = MIN(2 * n + 2, size);
                data += step;
                size -= step;
        }
        *ret = TAKE_PTR(list);
        return 0;
}

void utf16_add(Buffer *b, const char *text) {
        do {
                char unit[2] = { *text, 0 };
                buffer_add(b, unit, sizeof(unit));
        } while (*text++);
}
