/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "api/stream/journal-position.h"

#define CURSOR_MAX 512

static int parse_hex64(const char *s, size_t n, uint64_t *ret) {
        uint64_t value = 0;

        if (n == 0 || n > 16)
                return -EINVAL;
        for (size_t i = 0; i < n; i++) {
                const char *digits = "0123456789abcdef", *p = strchr(digits, s[i] | 0x20);

                if (!s[i] || !p)
                        return -EINVAL;
                value = value << 4 | (uint64_t) (p - digits);
        }

        *ret = value;
        return 0;
}

static int parse_id(const char *s, size_t n, sd_id128_t *ret) {
        char buf[SD_ID128_STRING_MAX];

        if (n != sizeof(buf) - 1)
                return -EINVAL;
        memcpy(buf, s, n);
        buf[n] = '\0';
        return sd_id128_from_string(buf, ret) < 0 ? -EINVAL : 0;
}

int journal_position_parse(const char *cursor, JournalPosition *ret) {
        enum { HAVE_S = 1, HAVE_I = 2, HAVE_T = 4, HAVE_X = 8 };
        JournalPosition p = {};
        unsigned have = 0;

        if (strnlen(cursor, CURSOR_MAX) >= CURSOR_MAX)
                return -EINVAL;

        for (const char *s = cursor; *s;) {
                size_t n = strcspn(s, ";");
                int r = 0;

                if (n < 2 || s[1] != '=')
                        return -EINVAL;
                switch (s[0]) {
                case 's':
                        r = parse_id(s + 2, n - 2, &p.seqnum_id);
                        have |= HAVE_S;
                        break;
                case 'i':
                        r = parse_hex64(s + 2, n - 2, &p.seqnum);
                        have |= HAVE_I;
                        break;
                case 't':
                        r = parse_hex64(s + 2, n - 2, &p.realtime);
                        have |= HAVE_T;
                        break;
                case 'x':
                        r = parse_hex64(s + 2, n - 2, &p.xor_hash);
                        have |= HAVE_X;
                        break;
                default: /* boot and monotonic time, and what later versions may add */
                        break;
                }
                if (r < 0)
                        return r;
                s += n;
                if (*s == ';')
                        s++;
        }

        if (have != (HAVE_S | HAVE_I | HAVE_T | HAVE_X))
                return -EINVAL;

        *ret = p;
        return 0;
}

bool journal_position_after(const JournalPosition *a, const JournalPosition *b) {
        if (sd_id128_equal(a->seqnum_id, b->seqnum_id))
                return a->seqnum > b->seqnum;
        if (a->realtime != b->realtime)
                return a->realtime > b->realtime;
        return a->xor_hash != b->xor_hash;
}
