/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/utf8.h"
#include "basic/string-util.h"

static const char replacement[] = "\xef\xbf\xbd";

/* The length of the character that begins at @p, or 0 if that is not valid UTF-8. */
static size_t character_length(const uint8_t *p, size_t size) {
        uint32_t c, least;
        size_t n;

        if (p[0] == 0)
                return 0;
        if (p[0] < 0x80)
                return 1;
        if ((p[0] & 0xe0) == 0xc0)
                c = p[0] & 0x1f, n = 2, least = 0x80;
        else if ((p[0] & 0xf0) == 0xe0)
                c = p[0] & 0x0f, n = 3, least = 0x800;
        else if ((p[0] & 0xf8) == 0xf0)
                c = p[0] & 0x07, n = 4, least = 0x10000;
        else
                return 0;
        if (n > size)
                return 0;
        for (size_t i = 1; i < n; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (p[i] & 0x3f);
        }
        return c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : n;
}

char *utf8_make_valid(const char *data, size_t size, size_t max) {
        /* A bad byte becomes three. */
        size_t room = size > max / 3 ? max : 3 * size, used = 0;
        char *s = malloc(room + 1);

        if (!s)
                return NULL;
        for (size_t i = 0; i < size;) {
                size_t n = character_length((const uint8_t *) data + i, size - i);
                const char *from = n > 0 ? data + i : replacement;
                size_t length = n > 0 ? n : sizeof(replacement) - 1;

                if (used + length > room)
                        break;
                memcpy(s + used, from, length);
                used += length;
                i += MAX(n, (size_t) 1);
        }
        s[used] = 0;
        return s;
}

/* The size of the control character at @p; 0 if it is none. */
static size_t control_size(const uint8_t *p) {
        if (*p < 0x20 || *p == 0x7f)
                return *p ? 1 : 0;
        return p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f ? 2 : 0;
}

char *utf8_replace_control(char *s, char by) {
        char *to = s;

        for (const char *p = s; *p;) {
                size_t n = control_size((const uint8_t *) p);
                *to++ = n > 0 ? by : *p;
                p += MAX(n, (size_t) 1);
        }
        *to = 0;
        return s;
}

bool utf8_has_control(const char *s) {
        for (const uint8_t *p = (const uint8_t *) s; *p; p++)
                if (control_size(p) > 0)
                        return true;
        return false;
}

char *utf8_vprintf(const char *format, va_list ap) {
        _cleanup_free_ char *text = vstrprintf(format, ap);

        return text ? utf8_make_valid(text, strlen(text), SIZE_MAX) : NULL;
}
