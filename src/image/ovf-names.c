/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <strings.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "basic/utf16.h"
#include "basic/utf8.h"
#include "image/ovf-names.h"

#define NAME_LENGTH_MAX 1024u
#define BLANKS " \t\r\n"

bool ovf_is_descriptor(const char *data, size_t size) {
        _cleanup_free_ char *text = NULL;
        size_t n;

        if (text_to_utf8(data, size & ~(size_t) 1, &text, &n) < 0)
                return false;
        const char *p = text + strspn(text, BLANKS);
        return *p == '<' && strstr(p, "Envelope") && (strstr(p, "ovf") || strstr(p, "OVF"));
}

/* "&amp;" and its sisters, and "%20", in place. False: it cannot be a name. */
static bool decode(char *s) {
        static const struct {
                const char *entity;
                char c;
        } entities[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' },
                { "&apos;", '\'' } };
        char *to = s;

        for (const char *p = s; *p;) {
                size_t i = 0;

                while (i < ELEMENTSOF(entities) && !startswith(p, entities[i].entity))
                        i++;
                int high = *p == '%' ? parse_hex_digit(p[1]) : -1,
                    low = high >= 0 ? parse_hex_digit(p[2]) : -1;
                if (i < ELEMENTSOF(entities)) {
                        *to++ = entities[i].c;
                        p += strlen(entities[i].entity);
                } else if (low >= 0) {
                        *to++ = (char) (high << 4 | low);
                        if (to[-1] == 0)
                                return false;
                        p += 3;
                } else
                        *to++ = *p++;
        }
        *to = 0;
        return true;
}

/* Takes out "./" and empty parts, "\" becomes "/". False: a ".." is in it, or nothing is left. */
static bool tidy(char *s) {
        char *to = s;

        for (char *p = s; *p; p++)
                if (*p == '\\')
                        *p = '/';
        for (const char *p = s; *p;) {
                size_t n = strcspn(p, "/");
                bool slash = p[n] == '/';

                if (n == 2 && p[0] == '.' && p[1] == '.')
                        return false;
                if (n > 0 && !(n == 1 && p[0] == '.')) {
                        memmove(to, p, n + slash);
                        to += n + slash;
                }
                p += n + slash;
        }
        *to = 0;
        return to > s && to[-1] != '/';
}

static int add_name(char ***names, const char *value, size_t n) {
        _cleanup_free_ char *raw = n <= NAME_LENGTH_MAX ? strndup(value, n) : NULL;

        if (n > NAME_LENGTH_MAX)
                return 0;
        if (!raw)
                return -ENOMEM;
        if (!decode(raw))
                return 0;
        char *name = strncasecmp(raw, "file:", 5) == 0 ? raw + 5 : raw;
        if (strstr(name, "://") || !utf8_is_valid(name) || utf8_has_control(name) || !tidy(name) ||
                        strv_contains(*names, name))
                return 0;
        if (strv_length(*names) >= OVF_NAMES_MAX)
                return -E2BIG;
        return strv_extend(names, name);
}

/* The value of href="…" or href='…' at @p, which is behind the word; its end in *ret_end, or NULL. */
static const char *quoted(const char *p, const char **ret_end) {
        p += strspn(p, BLANKS);
        if (*p != '=')
                return NULL;
        p += 1 + strspn(p + 1, BLANKS);
        if (*p != '"' && *p != '\'')
                return NULL;
        *ret_end = strchr(p + 1, *p);
        return *ret_end ? p + 1 : NULL;
}

int ovf_names(const char *text, size_t size, char ***ret) {
        _cleanup_strv_free_ char **names = NULL;
        _cleanup_free_ char *utf8 = NULL;
        size_t n;

        int r = text_to_utf8(text, size, &utf8, &n);
        if (r == -EILSEQ) {
                *ret = NULL;
                return 0;
        }
        if (r < 0)
                return r;
        for (const char *p = strstr(utf8, "href"); p; p = strstr(p + 1, "href")) {
                const char *end, *value = quoted(p + strlen("href"), &end);

                r = value ? add_name(&names, value, (size_t) (end - value)) : 0;
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(names);
        return 0;
}
