/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/string-util.h"
#include "basic/utf16.h"

static size_t encode(uint32_t c, char *to) {
        if (c < 0x80) {
                to[0] = (char) c;
                return 1;
        }
        if (c < 0x800) {
                to[0] = (char) (0xc0 | c >> 6);
                to[1] = (char) (0x80 | (c & 0x3f));
                return 2;
        }
        if (c < 0x10000) {
                to[0] = (char) (0xe0 | c >> 12);
                to[1] = (char) (0x80 | (c >> 6 & 0x3f));
                to[2] = (char) (0x80 | (c & 0x3f));
                return 3;
        }
        to[0] = (char) (0xf0 | c >> 18);
        to[1] = (char) (0x80 | (c >> 12 & 0x3f));
        to[2] = (char) (0x80 | (c >> 6 & 0x3f));
        to[3] = (char) (0x80 | (c & 0x3f));
        return 4;
}

static uint32_t unit_at(const unsigned char *p, bool big) {
        return big ? (uint32_t) p[0] << 8 | p[1] : (uint32_t) p[1] << 8 | p[0];
}

static int from_utf16(const unsigned char *data, size_t size, bool big, char **ret, size_t *ret_size) {
        _cleanup_free_ char *text = malloc(size / 2 * 3 + 1);
        size_t n = 0;

        if (!text)
                return -ENOMEM;
        if (size % 2 != 0)
                return -EILSEQ;
        for (size_t i = 0; i < size; i += 2) {
                uint32_t c = unit_at(data + i, big);

                if (c >= 0xdc00 && c < 0xe000)
                        return -EILSEQ;
                if (c >= 0xd800 && c < 0xdc00) {
                        uint32_t low = i + 4 <= size ? unit_at(data + i + 2, big) : 0;
                        if (low < 0xdc00 || low >= 0xe000)
                                return -EILSEQ;
                        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                        i += 2;
                }
                n += encode(c, text + n);
        }
        text[n] = 0;
        *ret = TAKE_PTR(text);
        *ret_size = n;
        return 0;
}

int text_to_utf8(const char *data, size_t size, char **ret, size_t *ret_size) {
        const unsigned char *p = (const unsigned char *) data;

        if (size >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)))
                return from_utf16(p + 2, size - 2, p[0] == 0xfe, ret, ret_size);
        size_t skip = size >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf ? 3 : 0;
        _cleanup_free_ char *text = malloc(size - skip + 1);
        if (!text)
                return -ENOMEM;
        memcpy(text, data + skip, size - skip);
        text[size - skip] = 0;
        *ret = TAKE_PTR(text);
        *ret_size = size - skip;
        return 0;
}
