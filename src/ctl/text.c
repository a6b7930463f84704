/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <wchar.h>

#include "basic/string-util.h"
#include "ctl/text.h"

/* Length of the character that @s begins with, 1 and U+FFFD for a byte that is not UTF-8. Strict as RFC
 * 3629. */
static size_t decode(const char *s, uint32_t *ret, bool *ret_valid) {
        const unsigned char *p = (const unsigned char *) s;
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        size_t n = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
        uint32_t c = n == 1 ? p[0] : n > 0 ? p[0] & (0xffu >> (n + 1)) : 0;

        for (size_t i = 1; i < n; i++) {
                if (p[i] >> 6 != 2) {
                        n = 0;
                        break;
                }
                c = c << 6 | (p[i] & 0x3f);
        }
        *ret_valid = n > 0 && c >= least[n] && c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff);
        *ret = *ret_valid ? c : 0xfffd;
        return *ret_valid ? n : 1;
}

static bool is_harmless(uint32_t c) {
        if (c < 0x20 || (c >= 0x7f && c < 0xa0))
                return false;
        /* Marks, embeddings, overrides and isolates of the bidirectional algorithm (UAX #9), line and
         * paragraph separators, the byte order mark. */
        return !(c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
                        (c >= 0x2066 && c <= 0x2069) || c == 0xfeff);
}

static void put_escaped(FILE *f, uint32_t c, bool valid, unsigned char byte) {
        if (!valid)
                fprintf(f, "\\x%02x", byte);
        else if (c == '\n')
                fputs("\\n", f);
        else if (c == '\t')
                fputs("\\t", f);
        else if (c == '\r')
                fputs("\\r", f);
        else if (c < 0x80)
                fprintf(f, "\\x%02x", (unsigned) c);
        else if (c <= 0xffff)
                fprintf(f, "\\u%04x", (unsigned) c);
        else
                fprintf(f, "\\U%08x", (unsigned) c);
}

static char *stream_finish(FILE *f, char **text) {
        if (ferror(f) | (fclose(f) < 0))
                return *text = mfree(*text);
        return *text;
}

char *text_escape(const char *s, bool utf8) {
        char *text = NULL;
        size_t size, n;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return NULL;
        for (; *s; s += n) {
                uint32_t c;
                bool valid;

                n = decode(s, &c, &valid);
                if (valid && is_harmless(c) && (utf8 || c < 0x80))
                        fwrite(s, 1, n, f);
                else
                        put_escaped(f, c, valid, (unsigned char) *s);
        }
        return stream_finish(f, &text);
}

static size_t char_width(uint32_t c) {
        int w = wcwidth((wchar_t) c);

        /* Not printable in this locale: counted as one, so that a line is rather too short than too long. */
        return w < 0 ? 1 : (size_t) w;
}

size_t text_width(const char *s) {
        size_t width = 0, n;

        for (; *s; s += n) {
                uint32_t c;
                bool valid;

                n = decode(s, &c, &valid);
                width += char_width(c);
        }
        return width;
}

char *text_fit(const char *s, size_t width, bool utf8) {
        const char *ellipsis = utf8 ? "…" : "...";
        size_t room, used = 0, length = 0, n;

        if (text_width(s) <= width)
                return strdup(s);
        if (width < text_width(ellipsis))
                return strndup("...", utf8 ? 0 : width);
        room = width - text_width(ellipsis);
        for (;; length += n) {
                uint32_t c;
                bool valid;

                n = decode(s + length, &c, &valid);
                if (used + char_width(c) > room)
                        break;
                used += char_width(c);
        }
        return strprintf("%.*s%s", (int) length, s, ellipsis);
}

char *text_json(json_t *value, bool pretty, bool utf8) {
        size_t flags = JSON_ENCODE_ANY | (pretty ? JSON_INDENT(2) : JSON_COMPACT) |
                        (utf8 ? 0 : JSON_ENSURE_ASCII);
        _cleanup_free_ char *dump = json_dumps(value, flags);
        char *text = NULL;
        size_t size, n;
        FILE *f;

        if (!dump)
                return NULL;
        f = open_memstream(&text, &size);
        if (!f)
                return NULL;
        for (const char *s = dump; *s; s += n) {
                uint32_t c;
                bool valid;

                /* jansson has escaped C0 within strings; a newline here is indentation. */
                n = decode(s, &c, &valid);
                if (c == '\n' || is_harmless(c))
                        fwrite(s, 1, n, f);
                else
                        fprintf(f, "\\u%04x", (unsigned) c);
        }
        return stream_finish(f, &text);
}
