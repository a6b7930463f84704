/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/http/accept.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "basic/macro.h"
#include "basic/string-util.h"

#define BLANKS " \t"
#define WEIGHT_MAX 1000

/* A weight, "0.25", in thousandths; -EINVAL. */
static int parse_weight(const char *s, size_t n) {
        int weight, scale = 100;

        if (n == 0 || n > 5 || (s[0] != '0' && s[0] != '1') || (n > 1 && s[1] != '.'))
                return -EINVAL;
        weight = (s[0] - '0') * WEIGHT_MAX;
        for (size_t i = 2; i < n; i++, scale /= 10) {
                if (s[i] < '0' || s[i] > '9')
                        return -EINVAL;
                weight += (s[i] - '0') * scale;
        }
        return weight > WEIGHT_MAX ? -EINVAL : weight;
}

/* The weight among the parameters of a range, ";charset=utf-8; q=0.5". Other ones are ignored. */
static int read_weight(const char *p, size_t n) {
        int weight = WEIGHT_MAX;

        while (n > 0) {
                size_t length = 1 + strcspn(p + 1, ";");
                const char *s = p + 1;

                length = MIN(length, n);
                size_t left = length - 1, blanks = strspn(s, BLANKS);
                blanks = MIN(blanks, left);
                s += blanks;
                left -= blanks;
                while (left > 0 && strchr(BLANKS, s[left - 1]))
                        left--;
                if (left >= 2 && strncasecmp(s, "q=", 2) == 0)
                        weight = parse_weight(s + 2, left - 2);
                p += length;
                n -= length;
        }
        return weight;
}

/* How specific the range @s, of @n characters, is that matches @type: 3, 2 or 1; 0 if it does not. */
static int match(const char *s, size_t n, const char *type) {
        size_t slash = strcspn(type, "/");

        if (n == 3 && strncmp(s, "*/*", 3) == 0)
                return 1;
        if (n == slash + 2 && strncasecmp(s, type, slash + 1) == 0 && s[n - 1] == '*')
                return 2;
        return n == strlen(type) && strncasecmp(s, type, n) == 0 ? 3 : 0;
}

/* Of a type; 0 if it is not accepted. */
static int weight_of(const char *header, const char *type) {
        int best = 0, weight = 0;

        for (const char *p = header; *p;) {
                size_t length = strcspn(p, ","), blanks = strspn(p, BLANKS);
                const char *s = p + MIN(blanks, length);
                size_t whole = (size_t) (p + length - s), n = strcspn(s, ";,");
                const char *parameters = s + n;

                while (n > 0 && strchr(BLANKS, s[n - 1]))
                        n--;
                int specific = match(s, n, type),
                    w = read_weight(parameters, (size_t) (s + whole - parameters));
                if (specific > best && w >= 0) {
                        best = specific;
                        weight = w;
                }
                p += length;
                p += *p == ',';
        }
        return weight;
}

int accept_choose(const char *header, const char *const *types) {
        int best = -ENOENT, weight = 0;

        if (isempty(header))
                return 0;
        for (int i = 0; types[i]; i++) {
                int w = weight_of(header, types[i]);

                if (w > weight) {
                        best = i;
                        weight = w;
                }
        }
        return best;
}
