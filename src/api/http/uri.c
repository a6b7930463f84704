/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <strings.h>

#include "api/http/uri.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"

int uri_decode(char *s, bool plus) {
        bool ascii = true;
        char *out = s;

        for (const char *in = s; *in; in++) {
                unsigned char c = (unsigned char) *in;

                if (c == '%') {
                        int high = parse_hex_digit(in[1]), low = high < 0 ? -EINVAL : parse_hex_digit(in[2]);

                        if (low < 0)
                                return -EINVAL;
                        c = (unsigned char) (high << 4 | low);
                        in += 2;
                } else if (c == '+' && plus)
                        c = ' ';

                if (c < 0x20 || c == 0x7f)
                        return -EINVAL;
                if (c >= 0x80)
                        ascii = false;
                *out++ = (char) c;
        }
        *out = '\0';

        return ascii || utf8_is_valid(s) ? 0 : -EINVAL;
}

int uri_split_target(char *target, const char **ret_host, char **ret_path, char **ret_query) {
        static char root[] = "/"; /* nobody writes to it: there is nothing to decode */
        const char *host = NULL;
        char *path = target, *query;

        if (strncasecmp(target, "http://", strlen("http://")) == 0) {
                char *authority = target + strlen("http://");
                size_t n = strcspn(authority, "/?");

                if (n == 0 || memchr(authority, '@', n))
                        return -EINVAL;
                /* Moved one to the left, so that there is room for its end without a copy. */
                memmove(authority - 1, authority, n);
                authority[n - 1] = '\0';
                host = authority - 1;
                path = authority + n;
        }

        query = strchr(path, '?');
        if (query)
                *query++ = '\0';
        if (host && !*path)
                path = root;
        if (path[0] != '/')
                return -EINVAL;

        *ret_host = host;
        *ret_path = path;
        *ret_query = query;
        return 0;
}

int uri_split_path(char *path, const char **segments, size_t max, size_t *ret_n) {
        size_t n = 0;
        char *p = path + 1;

        assert(path[0] == '/');

        while (*p) {
                char *end = strchrnul(p, '/');
                bool last = !*end;
                int r;

                if (end == p)
                        return -ENOENT;
                if (n >= max)
                        return -E2BIG;

                *end = '\0';
                r = uri_decode(p, /* plus= */ false);
                if (r < 0)
                        return r;
                segments[n++] = p;
                if (last)
                        break;
                p = end + 1;
        }

        *ret_n = n;
        return 0;
}

int uri_split_query(char *query, QueryPair *pairs, size_t max, size_t *ret_n) {
        size_t n = 0;

        for (char *p = query; p;) {
                char *key = p, *value;
                int r;

                p = strchr(p, '&');
                if (p)
                        *p++ = '\0';
                if (!*key)
                        continue;
                if (n >= max)
                        return -E2BIG;

                value = strchr(key, '=');
                if (value) {
                        *value++ = '\0';
                        r = uri_decode(value, /* plus= */ true);
                        if (r < 0)
                                return r;
                }
                r = uri_decode(key, /* plus= */ true);
                if (r < 0)
                        return r;
                pairs[n++] = (QueryPair){ key, value };
        }

        *ret_n = n;
        return 0;
}
