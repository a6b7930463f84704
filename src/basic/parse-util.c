/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <strings.h>

#include "basic/parse-util.h"

int parse_uint64(const char *s, uint64_t *ret) {
        uint64_t n = 0;

        if (!*s)
                return -EINVAL;
        for (; *s; s++) {
                if (*s < '0' || *s > '9')
                        return -EINVAL;
                if (__builtin_mul_overflow(n, (uint64_t) 10, &n) ||
                                __builtin_add_overflow(n, (uint64_t) (*s - '0'), &n))
                        return -ERANGE;
        }
        *ret = n;
        return 0;
}

int parse_unsigned(const char *s, unsigned *ret) {
        uint64_t n;
        int r = parse_uint64(s, &n);

        if (r < 0)
                return r;
        if (n > UINT_MAX)
                return -ERANGE;
        *ret = (unsigned) n;
        return 0;
}

int parse_boolean(const char *s, bool *ret) {
        static const char *const words[][2] = { { "false", "true" }, { "no", "yes" }, { "off", "on" },
                { "0", "1" } };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                for (int value = 0; value < 2; value++)
                        if (strcasecmp(s, words[i][value]) == 0) {
                                *ret = value;
                                return 0;
                        }
        return -EINVAL;
}

char *format_bytes(char buf[static BYTES_SIZE], uint64_t bytes) {
        static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
        double value = (double) bytes;
        size_t i = 0;

        for (; value >= 1024 && i < ELEMENTSOF(units) - 1; i++)
                value /= 1024;
        if (i == 0)
                snprintf(buf, BYTES_SIZE, "%" PRIu64 " B", bytes);
        else
                snprintf(buf, BYTES_SIZE, "%.1f %s", value, units[i]);
        return buf;
}

int parse_hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -EINVAL;
}
